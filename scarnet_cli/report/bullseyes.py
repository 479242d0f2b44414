"""The cohort's bull's eyes: how much scar its studies have in each segment, how often, and how two groups differ."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup
from numpy.typing import NDArray

from scarnet_cli.draw.shades import shades_for
from scarnet_cli.draw.svg import draw_bullseye
from scarnet_cli.draw.text import count_text, signed_text
from scarnet_cli.report.groups import groups_of, largest_of
from scarnet_cli.report.measures import Row
from scarnet_cli.tables.parquet import open_table

SEGMENTS: Final = range(1, 18)
_PAIR: Final = 2
_TITLES: Final = {"mean": "Mean scar, % of the segment", "frequency": "Studies with scar in the segment, %"}


@dataclass(frozen=True, slots=True)
class SegmentScar:
    """Scar in the segments of a group's studies.

    Attributes:
        studies: Number of studies that have segments.
        percents: For each segment, the scar percentage in every study that defines it.
    """

    studies: int
    percents: tuple[NDArray[np.float64], ...]

    @property
    def mean(self) -> list[float | None]:
        """Mean of each segment; None where no study defines it."""
        return [float(values.mean()) if values.size else None for values in self.percents]

    @property
    def frequency(self) -> list[float | None]:
        """Studies with scar in each segment, in percent; None where no study defines it."""
        return [float(100 * (values > 0).mean()) if values.size else None for values in self.percents]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Bull's eyes of one measure.

    Attributes:
        title: What they show.
        drawings: Heading and drawing of each; empty where no study has segments.
        legends: Heading and drawing of each scale of shades.
        words: What stands below them.
    """

    title: str
    drawings: tuple[tuple[str, Markup], ...]
    legends: tuple[tuple[str, Markup], ...]
    words: str


def read_segments(path: Path) -> pa.Table:
    """Return the columns of the table `segments` that bull's eyes are made of.

    Raises:
        CohortError: The table is missing or unreadable.
    """
    with open_table(path) as table:
        return table.read(["study_id", "segment", "scar_percent"])


def segment_scar(segments: pa.Table, study_ids: Collection[str]) -> SegmentScar:
    """Return the scar in the segments of some studies.

    Args:
        segments: Columns study_id, segment and scar_percent.
        study_ids: The studies.
    """
    known = pc.SetLookupOptions(pa.array(list(study_ids), pa.string()))
    wanted = segments.filter(pc.call_function("is_in", [segments["study_id"]], known))
    numbers = wanted["segment"].to_numpy()
    percents = wanted["scar_percent"].to_numpy(zero_copy_only=False).astype(float)
    return SegmentScar(
        studies=len(wanted["study_id"].unique()),
        percents=tuple(percents[(numbers == segment) & np.isfinite(percents)] for segment in SEGMENTS),
    )


def cohort_eyes(segments: pa.Table, rows: Sequence[Row], by: str | None) -> tuple[Eyes, Eyes]:
    """Return the eyes of mean and of frequency, one for each group, and one of the difference where there are two.

    Args:
        segments: Columns study_id, segment and scar_percent.
        rows: Rows of scans: the studies to show.
        by: Column that groups them; with fewer than two groups there is one eye, of all studies.
    """
    groups = groups_of(rows, by)
    shown = largest_of(groups) if len(groups) > 1 else {"all studies": rows}
    found = {name: segment_scar(segments, [row["study_id"] for row in of_name]) for name, of_name in shown.items()}
    filled = {name: one for name, one in found.items() if one.studies}
    words = " ".join(_words(found, max(len(groups) - len(shown), 0)))
    mean, frequency = (_eyes(title, filled, measure, words) for measure, title in _TITLES.items())
    return mean, frequency


def _words(found: Mapping[str, SegmentScar], left_out: int) -> Iterator[str]:
    if not any(one.studies for one in found.values()):
        yield "Nothing to draw: no study has segments."
        return
    yield "Segments of the AHA model, the apex in the middle."
    if without := [name for name, one in found.items() if not one.studies]:
        yield f"Without segments: {', '.join(without)}."
    if left_out:
        yield f"{count_text(left_out, 'smaller group')} left out."
    if not any(value for one in found.values() for value in one.frequency):
        yield "No study has scar in any segment."


def _eyes(title: str, groups: Mapping[str, SegmentScar], measure: str, words: str) -> Eyes:
    if not groups:
        return Eyes(title, (), (), words)
    values: dict[str, Sequence[float | None]] = {name: getattr(group, measure) for name, group in groups.items()}
    shades = shades_for(value for one in values.values() for value in one)
    drawings = [
        (f"{name}, n = {groups[name].studies:,}", draw_bullseye(f"{title}: {name}", one, shades.style))
        for name, one in values.items()
    ]
    legends = [("Shades, %", shades.legend(f"{title}: shades"))]
    if len(values) == _PAIR:
        first, second = values
        differences = difference(values[first], values[second])
        contrast = shades_for([*differences, -1e-9])  # as many shades below zero as above, whatever the signs
        heading = f"{second} minus {first}, percentage points"
        drawings.append((heading, draw_bullseye(f"{title}: {heading}", differences, contrast.style, signed_text)))
        legends.append(("Shades of the difference, percentage points", contrast.legend(f"{heading}: shades")))
    return Eyes(title, tuple(drawings), tuple(legends), words)


def difference(first: Sequence[float | None], second: Sequence[float | None]) -> list[float | None]:
    """Return second minus first, where both are defined."""
    return [None if a is None or b is None else b - a for a, b in zip(first, second, strict=True)]
