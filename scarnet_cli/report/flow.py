"""The flow of the cohort's studies as CONSORT draws it: found, left out, failed, measured, rejected, and by group."""

from collections.abc import Mapping, Sequence
from typing import Final

from scarnet_cli.draw.flow_chart import FlowChart
from scarnet_cli.draw.plots import Figure
from scarnet_cli.draw.text import code_text, count_text, stage_text
from scarnet_cli.gather.review import without_rejected
from scarnet_cli.report.groups import groups_of, largest_of
from scarnet_cli.report.measures import Row
from scarnet_cli.report.rows import doubts

# Stage and code of a failure.
Reason = tuple[str, str]

_MOST_REASONS: Final = 8  # of one box; the others are counted together
_BEFORE: Final = frozenset({"index", "fetch"})


def flow_figure(measured: Sequence[Row], failed: Mapping[Reason, int], by: str | None) -> Figure:
    """Return the flow of the cohort's studies.

    Args:
        measured: Rows of scans, with study_id, flags, `reviewed` and the column of the groups.
        failed: Number of studies that failed for each reason.
        by: Column that groups the studies; None without groups.
    """
    early = {reason: count for reason, count in failed.items() if reason[0] in _BEFORE}
    late = {reason: count for reason, count in failed.items() if reason[0] not in _BEFORE}
    left_out, unmeasured = sum(early.values()), sum(late.values())
    found = len(measured) + unmeasured + left_out
    used = without_rejected(measured)
    flagged = sum(bool(doubts(row["flags"])) for row in used)
    chart = FlowChart()
    chart.box([_counted("Studies found", found)])
    chart.side([_counted("Left out", left_out), *_reasons(early)])
    chart.box([_counted("With LGE images to measure", len(measured) + unmeasured)])
    chart.side([_counted("Failed", unmeasured), *_reasons(late, with_stage=True)])
    chart.box([_counted("Measured", len(measured))])
    chart.side([_counted("Rejected by a reader", len(measured) - len(used))])
    chart.box([_counted("In the analysis", len(used)), f"of these flagged: {flagged:,}"])
    if sizes := _group_sizes(used, by):
        chart.row([[name, f"n = {count:,}"] for name, count in sizes])
    title = f"Flow of {count_text(found, 'study', 'studies')}"
    return Figure("Flow of the studies", f"Groups are those of the column {by}." if by else "", chart.drawing(title))


def _counted(words: str, count: int) -> str:
    return f"{words} (n = {count:,})"


def _reasons(counts: Mapping[Reason, int], *, with_stage: bool = False) -> list[str]:
    """Return a line for each reason, the most frequent first."""
    order = sorted(counts, key=lambda reason: (-counts[reason], reason))
    lines = [
        _counted(f"{code_text(code)}, {stage_text(stage)}" if with_stage else code_text(code), counts[stage, code])
        for stage, code in order[:_MOST_REASONS]
    ]
    rest = order[_MOST_REASONS:]
    return [*lines, *([_counted("other reasons", sum(counts[reason] for reason in rest))] if rest else [])]


def _group_sizes(used: Sequence[Row], by: str | None) -> list[tuple[str, int]]:
    """Return name and size of each of the largest groups, then of what else there is; empty without groups."""
    groups = groups_of(used, by)
    largest = largest_of(groups)
    sizes = [(name, len(rows)) for name, rows in largest.items()]
    if smaller := len(groups) - len(largest):
        others = sum(len(rows) for name, rows in groups.items() if name not in largest)
        sizes.append((count_text(smaller, "smaller group"), others))
    if groups and (without := len(used) - sum(map(len, groups.values()))):
        sizes.append(("none given", without))
    return sizes
