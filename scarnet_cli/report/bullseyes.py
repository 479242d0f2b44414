"""The cohort's bull's eyes: how much scar its studies have in each segment, how often, and how two groups differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup
from numpy.typing import NDArray

from scarnet_cli.draw.shades import shades_for
from scarnet_cli.draw.svg import draw_bullseye

SEGMENTS: Final = range(1, 18)
_PAIR: Final = 2


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
    """Bull's eyes of one measure: heading and drawing of each, then of the legend of its shades."""

    title: str
    drawings: tuple[tuple[str, Markup], ...]


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


def cohort_eyes(groups: Mapping[str, SegmentScar]) -> tuple[Eyes, ...]:
    """Return the eyes of mean and frequency, one for each group, and one of the difference where there are two."""
    titles = {"mean": "Mean scar, % of the segment", "frequency": "Studies with scar in the segment, %"}
    return tuple(_eyes(title, groups, measure) for measure, title in titles.items())


def _eyes(title: str, groups: Mapping[str, SegmentScar], measure: str) -> Eyes:
    values: dict[str, Sequence[float | None]] = {name: getattr(group, measure) for name, group in groups.items()}
    shades = shades_for(value for one in values.values() for value in one)
    drawings = [
        (f"{name}, n = {groups[name].studies:,}", draw_bullseye(f"{title}: {name}", one, shades.style))
        for name, one in values.items()
    ]
    legends = [("Shades", shades.legend(f"{title}: shades"))]
    if len(values) == _PAIR:
        first, second = values
        differences = difference(values[first], values[second])
        contrast = shades_for([*differences, -1e-9])  # as many shades below zero as above, whatever the signs
        heading = f"{second} minus {first}, points"
        drawings.append((heading, draw_bullseye(f"{title}: {heading}", differences, contrast.style)))
        legends.append(("Shades of the difference", contrast.legend(f"{heading}: shades")))
    return Eyes(title, (*drawings, *legends))


def difference(first: Sequence[float | None], second: Sequence[float | None]) -> list[float | None]:
    """Return second minus first, where both are defined."""
    return [None if a is None or b is None else b - a for a, b in zip(first, second, strict=True)]
