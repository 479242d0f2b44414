"""What disturbances do to a model's scores: table, summary with the goals, and picture."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scarnet_cli.benchmark.disturbances import (
    AS_ACQUIRED,
    DISTURBANCES,
    MAGNITUDE,
    NOISE,
    NOISE_PERCENT,
    Disturbance,
)
from scarnet_cli.benchmark.robustness import UNDISTURBED
from scarnet_cli.benchmark.table import NOTABLE_PERCENT
from scarnet_cli.draw.panels import Panel, Scale, draw_panels
from scarnet_cli.files import write_bytes
from scarnet_cli.tables.benchmark import RobustnessRow
from scarnet_cli.tables.parquet import write_table

# Goals: the most Dice lost and the greatest coefficient of variation (CoV), in percent.
_NOISE_LOSS: Final = 2.0
_NOISE_COV: Final = 5.0
_MAGNITUDE_LOSS: Final = 5.0
_AS_IT_IS: Final = "as it is"
_LEAST_DRAWS: Final = 2

Rows = Sequence[RobustnessRow]


@dataclass(frozen=True, slots=True)
class Level:
    """Mean scores at one severity; every case counts equally.

    Attributes:
        myocardium: Dice.
        scar: Dice, over all cases.
        scar_of_infarcts: Dice over the cases with scar; None without any.
        scar_percent: The model's.
        reference_percent: The experts'.
        missed: Share of infarcts whose scar is measured as 0; None without any.
        invented: Share of the hearts without scar that are measured with more than `NOTABLE_PERCENT`; None without any.
    """

    myocardium: float
    scar: float
    scar_of_infarcts: float | None
    scar_percent: float
    reference_percent: float
    missed: float | None
    invented: float | None


def level_of(rows: Rows) -> Level:
    """Return the mean scores of one or more rows of one severity."""
    infarcts, normals = ([row for row in rows if row.has_scar == scar] for scar in (True, False))
    return Level(
        myocardium=statistics.fmean(row.myocardium_dice for row in rows),
        scar=statistics.fmean(row.scar_dice for row in rows),
        scar_of_infarcts=_mean([row.scar_dice for row in infarcts]),
        scar_percent=statistics.fmean(row.scar_percent_lv for row in rows),
        reference_percent=statistics.fmean(row.reference_scar_percent_lv for row in rows),
        missed=_mean([row.scar_percent_lv == 0 for row in infarcts]),
        invented=_mean([row.scar_percent_lv > NOTABLE_PERCENT for row in normals]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def levels(rows: Rows) -> dict[tuple[str, float], Level]:
    """Return (disturbance, severity) -> mean scores, repeated draws together, in the order of `DISTURBANCES`."""
    keys = [(UNDISTURBED, 0.0), *((name, severity) for name, d in DISTURBANCES.items() for severity in d.severities)]
    grouped = {key: [row for row in rows if (row.disturbance, row.severity) == key] for key in keys}
    return {key: level_of(members) for key, members in grouped.items() if members}


def lost_percent(before: float, after: float) -> float:
    """Return how much of a mean Dice is lost, in percent; negative if it rises, 0 if there was none to lose."""
    return 100.0 * (before - after) / before if before else 0.0


def _lost(before: float, after: float) -> str:
    """Return `lost_percent` as text, without the sign of a rounded zero."""
    return f"{round(lost_percent(before, after), 1) + 0.0:.1f}"


def noise_cov(rows: Rows) -> tuple[float | None, int]:
    """Return the CoV of scar percent over draws of the noise of `NOISE_PERCENT`, and the number of cases behind it.

    It is the root mean square over cases of SD / mean within the case (Gluer 1995, doi:10.1007/BF01774016), in percent.
    Cases without scar, and those measured as 0 in all draws, have none.
    """
    draws: dict[str, list[float]] = {}
    for row in rows:
        if row.has_scar and (row.disturbance, row.severity) == (NOISE, NOISE_PERCENT):
            draws.setdefault(row.case_id, []).append(row.scar_percent_lv)
    covs = [
        statistics.stdev(values) / statistics.fmean(values)
        for values in draws.values()
        if len(values) >= _LEAST_DRAWS and any(values)
    ]
    return (100.0 * math.sqrt(statistics.fmean(c * c for c in covs)) if covs else None), len(covs)


def write_robustness(rows: Rows, out: Path) -> str:
    """Write robustness.parquet, robustness.md and robustness.svg, and return the summary.

    Args:
        rows: Scores of one model, each case undisturbed too.
        out: Folder.
    """
    write_table(RobustnessRow, rows, out / "robustness.parquet", {})
    summary = robustness_markdown(rows)
    write_bytes(out / "robustness.md", summary.encode())
    write_bytes(out / "robustness.svg", draw_robustness(rows).encode())
    return summary


def robustness_markdown(rows: Rows) -> str:
    """Return a Markdown table with a line per severity, and sentences on the goals."""
    everyone, infarcts = _cases(rows, lambda _: True), _cases(rows, lambda row: row.has_scar)
    headings = (
        "disturbance",
        "severity",
        "myocardium",
        "lost, %",
        f"scar, all {everyone}",
        "lost, %",
        f"scar, {infarcts} with scar",
        "scar, % of LV",
        "off the experts', points",
        f"{infarcts} with scar: measured as 0, %",
        f"{everyone - infarcts} without: over {NOTABLE_PERCENT:g} % scar, %",
    )
    lines = ["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|"]
    found = levels(rows)
    before = found[UNDISTURBED, 0.0]
    for (name, severity), level in found.items():
        cells = (
            *titles_of(name, severity),
            f"{level.myocardium:.3f}",
            _lost(before.myocardium, level.myocardium),
            f"{level.scar:.3f}",
            _lost(before.scar, level.scar),
            _or_dash(level.scar_of_infarcts, ".3f"),
            f"{level.scar_percent:.1f}",
            f"{level.scar_percent - level.reference_percent:+.1f}",
            _or_dash(level.missed, ".0%").removesuffix("%"),
            _or_dash(level.invented, ".0%").removesuffix("%"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_goals(rows, found)]) + "\n"


def titles_of(name: str, severity: float) -> tuple[str, str]:
    """Return a disturbance's title with its unit, and its severity, as the first two cells of a table's row."""
    if name == UNDISTURBED:
        return _AS_IT_IS, ""
    return f"{DISTURBANCES[name].title} ({DISTURBANCES[name].unit})", f"{severity:g}"


def _goals(rows: Rows, found: dict[tuple[str, float], Level]) -> list[str]:
    """Return a sentence for each goal whose disturbance was tried."""
    said: list[str] = []
    before = found[UNDISTURBED, 0.0]
    for key, words, most in (
        ((NOISE, NOISE_PERCENT), f"Noise of {NOISE_PERCENT:g} %", _NOISE_LOSS),
        ((MAGNITUDE, AS_ACQUIRED), "Magnitude of the same signal", _MAGNITUDE_LOSS),
    ):
        if level := found.get(key):
            pairs = ((before.myocardium, level.myocardium), (before.scar, level.scar))
            verdict = _verdict(max(lost_percent(*pair) for pair in pairs), most)
            wall, scar = (_lost(*pair) for pair in pairs)
            said.append(f"{words}: {wall} % of the myocardium's Dice is lost, {scar} % of the scar's; {verdict}.")
    cov, cases = noise_cov(rows)
    if cov is not None:
        said.append(
            f"Scar percent varies by {cov:.1f} % (CoV) between draws of that noise, over {cases} cases with scar; "
            f"{_verdict(cov, _NOISE_COV)}."
        )
    return said


def _verdict(value: float, most: float) -> str:
    return f"the goal, at most {most:g} %, is {'met' if value <= most else 'missed'}"


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _cases(rows: Rows, which: Callable[[RobustnessRow], bool]) -> int:
    return len({row.case_id for row in rows if which(row)})


def draw_robustness(rows: Rows) -> str:
    """Return an SVG with a panel per disturbance: Dice and scar percent against severity."""
    found = levels(rows)
    tried = [name for name in DISTURBANCES if any(name == key[0] for key in found)]
    most = max(value for level in found.values() for value in (level.scar_percent, level.reference_percent))
    scales = (Scale("Dice", 0.0, 1.0, 150), Scale("scar, % of LV", 0.0, 5 * math.ceil(1.1 * most / 5) or 5.0, 80))
    model, cases = rows[0].model, _cases(rows, lambda _: True)
    panels = [_panel(name, DISTURBANCES[name], found) for name in tried]
    return draw_panels(f"{model}, {cases} cases: Dice and scar percent under {len(tried)} disturbances", scales, panels)


def _panel(name: str, of: Disturbance, found: dict[tuple[str, float], Level]) -> Panel:
    points: list[tuple[str, Level]] = [(f"{severity:g}", found[name, severity]) for severity in of.severities]
    below = 0 if of.none is None else sum(severity < of.none for severity in of.severities)
    points.insert(below, (_AS_IT_IS if of.none is None else f"{of.none:g}", found[UNDISTURBED, 0.0]))
    return Panel(
        title=of.title,
        unit=of.unit,
        ticks=tuple(tick for tick, _ in points),
        plots=(
            {
                "myocardium, Dice": [level.myocardium for _, level in points],
                "scar, Dice": [level.scar for _, level in points],
            },
            {
                "scar percent, model": [level.scar_percent for _, level in points],
                "scar percent, experts": [level.reference_percent for _, level in points],
            },
        ),
    )
