"""The page of `scarnet diff`, and its words for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scarnet_cli.diff.compare import MAIN, ColumnChange, Comparison, EndChange, FlagChange, StudyChange
from scarnet_cli.diff.outcome import Outcome
from scarnet_cli.diff.settings import Setting, changed_settings
from scarnet_cli.draw.plots import Figure, Lines, Point, draw_bland_altman, draw_scatter
from scarnet_cli.draw.text import count_text, number_text, signed_text, unit_of
from scarnet_cli.evaluate.agreement import agreement
from scarnet_cli.report.template import render
from scarnet_cli.tables.parquet import CREATION_TIME, PIPELINE_VERSION
from scarnet_cli.tables.schema import TABLES

# Studies that the page lists of each kind; the table has all.
_LISTED: Final = 200
_SAID: Final = 4  # columns, flags and studies that the terminal names
# How a study's end may change -> heading.
ENDS: Final = {
    "failed": "measured before, failed now",
    "measured": "failed before, measured now",
    "failed_otherwise": "failed for another reason",
    "appeared": "appeared",
    "vanished": "vanished",
}
_MAIN_UNIT: Final = "% of the myocardium"


@dataclass(frozen=True, slots=True)
class Differences:
    """What people are told of two runs.

    Attributes:
        counts: Numbers of studies: `Comparison.counts`, with every kind of end.
        settings: Settings that differ.
        columns: Columns of numbers that changed, scar percent first.
        texts: Column of text -> number of studies in which it changed.
        flags: Flags that were raised or dropped.
        studies: The studies that changed most.
        ends: Kind of change of the end -> the first studies of it; kinds without a study are left out.
        figures: Plots of scar percent; empty where no study has it in both runs.
        left_out: Columns of scans that one run alone has.
        versions: Version of the pipeline and time of the tables, of both runs; empty where not known.
    """

    counts: Mapping[str, int]
    settings: tuple[Setting, ...]
    columns: tuple[ColumnChange, ...]
    texts: Mapping[str, int]
    flags: tuple[FlagChange, ...]
    studies: tuple[StudyChange, ...]
    ends: Mapping[str, tuple[EndChange, ...]]
    figures: tuple[Figure, ...]
    left_out: tuple[str, ...]
    versions: tuple[tuple[str, str], tuple[str, str]]

    @property
    def changed(self) -> int:
        """Number of studies that differ in any way."""
        return self.counts["changed"] + sum(self.counts[end] for end in ENDS)


def summarise(comparison: Comparison, old: Outcome, new: Outcome) -> Differences:
    """Return what people are told of two runs."""
    counts = dict.fromkeys(ENDS, 0) | comparison.counts()
    before, after = (
        (run.metadata.get(PIPELINE_VERSION, ""), run.metadata.get(CREATION_TIME, "")) for run in (old, new)
    )
    return Differences(
        counts=counts,
        settings=changed_settings(comparison, old, new),
        columns=tuple(comparison.columns()),
        texts=comparison.texts(),
        flags=tuple(comparison.flags()),
        studies=tuple(comparison.studies(_LISTED)),
        ends={end: tuple(comparison.ends(end, _LISTED)) for end in ENDS if counts[end]},
        figures=_figures(comparison.pairs(MAIN)),
        left_out=tuple(field.name for field in TABLES["scans"] if field.name in old.columns ^ new.columns),
        versions=(before, after),
    )


def render_page(differences: Differences) -> str:
    """Return the page as self-contained HTML."""
    return render(
        "diff.html.jinja",
        ("base.css", "charts.css", "index.css"),
        diff=differences,
        ends=ENDS,
        listed=_LISTED,
        number=number_text,
        signed=signed_text,
        unit=_unit,
    )


def summary_lines(differences: Differences) -> Iterator[str]:
    """Yield the words for the terminal, what matters most first."""
    counts = differences.counts
    yield (
        f"{count_text(counts['old'], 'study', 'studies')} before, {counts['new']:,} now; "
        f"{counts['both']:,} measured in both, {counts['changed']:,} of them changed."
    )
    if ends := [f"{counts[end]:,} {words}" for end, words in ENDS.items() if counts[end]]:
        yield f"Otherwise: {'; '.join(ends)}."
    for setting in differences.settings:
        yield f"In between: {setting.name} {setting.old} -> {setting.new}"
    columns = [column for column in differences.columns if column.changed]
    yield from (f"  {_column_words(column)}" for column in columns[:_SAID])
    if more := columns[_SAID:]:
        yield f"  {count_text(len(more), 'more column')}, such as {', '.join(column.column for column in more[:_SAID])}"
    if differences.texts:
        yield "  text: " + ", ".join(f"{name} in {studies:,}" for name, studies in differences.texts.items())
    if differences.flags:
        shown = ", ".join(f"{flag.code} +{flag.raised} -{flag.dropped}" for flag in differences.flags[:_SAID])
        yield f"  flags: {shown}{', ...' if len(differences.flags) > _SAID else ''}"
    for study in differences.studies[:_SAID]:
        if study.difference:
            yield f"  {study.study_id}: {MAIN} {number_text(study.old)} -> {number_text(study.new)}"
    if not differences.changed and not differences.settings:
        yield "Nothing changed."


def _column_words(column: ColumnChange) -> str:
    allowed = column.tolerance.text(_unit(column.column))
    words = f"{column.column}: {column.changed:,} of {column.studies:,} beyond {allowed}"
    if column.mean is None:
        return words
    mean, largest = signed_text(column.mean, 2), signed_text(column.largest, 2)
    return f"{words}; mean {mean}, largest {largest} ({column.largest_study})"


def _unit(column: str) -> str:
    return unit_of(TABLES["scans"].field(column))


def _figures(pairs: Sequence[tuple[str, float, float, bool]]) -> tuple[Figure, ...]:
    if not pairs:
        return ()
    before, after = [old for _, old, _, _ in pairs], [new for _, _, new, _ in pairs]
    agreed = agreement(after, before)
    lines = Lines(agreed.bias, agreed.lower_limit, agreed.upper_limit)
    scattered = [Point(old, new, study, marked) for study, old, new, marked in pairs]
    differing = [Point((old + new) / 2, new - old, study, marked) for study, old, new, marked in pairs]
    marked = sum(point.marked for point in scattered)
    return (
        Figure(
            "New against old",
            f"{count_text(len(pairs), 'study', 'studies')}, {marked:,} beyond the tolerance. "
            f"ICC {number_text(agreed.icc, 3)}.",
            draw_scatter("Scar", scattered, ("old", "new"), _MAIN_UNIT),
        ),
        Figure(
            "New minus old",
            f"Mean {signed_text(agreed.bias, 2)} percentage points{_limits(lines)}.",
            draw_bland_altman("Scar", differing, lines, _MAIN_UNIT, "old and new"),
        ),
    )


def _limits(lines: Lines) -> str:
    if lines.lower is None or lines.upper is None:
        return ""
    return (
        f", 95 % of differences from {signed_text(lines.lower, 2)} to {signed_text(lines.upper, 2)} if they are normal"
    )
