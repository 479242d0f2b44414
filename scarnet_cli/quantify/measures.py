"""All measures of one study: what stands in the tables scans, slices and segments.

Volumes follow J. Schulz-Menger et al., J Cardiovasc Magn Reson 2020;22:19, doi 10.1186/s12968-020-00610-6: areas times
the distance between slice centres; scar burden is scar, MVO included, as a percentage of the myocardium, scar included.
"""

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.chords import find_chords
from scarnet_cli.quantify.columns import (
    MYOCARDIUM_G_PER_ML,
    Findings,
    chord_columns,
    percent_of,
    remote_columns,
    shape_columns,
    threshold_percents,
    volume_ml,
)
from scarnet_cli.quantify.flags import find_flags
from scarnet_cli.quantify.interface import interface_mm2
from scarnet_cli.quantify.orientation import Point, find_frame
from scarnet_cli.quantify.records import ScanMeasures, SegmentMeasures, SliceMeasures, StudyMeasures
from scarnet_cli.quantify.regions import Regions, connected_pieces, find_regions
from scarnet_cli.quantify.remote import find_remotes
from scarnet_cli.quantify.segments import SEGMENTS, find_levels, segment_map
from scarnet_cli.quantify.thresholds import find_threshold_masks

# The part of the heart that is all of it.
WHOLE: Final = slice(None)


def measure_study(image: Volume, labels: Volume, rv_insertion: Point | None = None) -> StudyMeasures:
    """Measure one study.

    Without any myocardium volumes are 0, everything else is None and the flag `no_myocardium` is raised. Without scar
    its volumes, percentages and FWHM are 0, and the mean transmurality (over chords that have scar) is None.

    Args:
        image: LGE signal, on any scale.
        labels: Label map on the same grid.
        rv_insertion: LPS position in mm of the anterior RV insertion; estimated from patient geometry when None.

    Raises:
        GeometryError: The grids differ.
        QuantificationError: Unknown label values, non-finite signal, or an RV insertion on the heart's axis.
    """
    regions = find_regions(image, labels)
    found = _find(regions, rv_insertion) if regions.myocardium.any() else None
    return StudyMeasures(
        scan=_scan(regions, found),
        slices=tuple(_slice(regions, found, index) for index in range(len(regions.signal))),
        segments=_segments(regions, found),
    )


def without_orientation(measures: StudyMeasures) -> StudyMeasures:
    """Return measures of a stack whose place in the patient is unknown: what needs it is None, not a guess."""
    nothing: dict[str, Any] = {field.name: None for field in fields(SegmentMeasures) if field.name != "segment"}
    return StudyMeasures(
        scan=replace(measures.scan, apex_source=None, rv_insertion_source=None),
        slices=tuple(replace(row, level=None) for row in measures.slices),
        segments=tuple(replace(row, **nothing) for row in measures.segments),
    )


def _find(regions: Regions, rv_insertion: Point | None) -> Findings:
    frame = find_frame(regions, rv_insertion)
    levels = find_levels(regions, frame)
    remotes = find_remotes(regions, frame)
    masks = find_threshold_masks(regions, remotes)
    interface = interface_mm2(regions.myocardium, regions.scar, regions.grid.spacing_zyx_mm)
    return Findings(frame, levels, remotes, masks, find_chords(regions, frame, levels), interface)


def _scan(regions: Regions, found: Findings | None) -> ScanMeasures:
    z_mm, y_mm, x_mm = spacing = regions.grid.spacing_zyx_mm
    volumes = {name: volume_ml(getattr(regions, name), spacing) for name in ("blood_pool", "myocardium", "scar", "mvo")}
    percents = threshold_percents(regions, found, WHOLE)
    pieces, count = connected_pieces(regions.scar)
    largest = int(np.bincount(pieces.ravel())[1:].max()) if count else 0
    judged = {
        **{f"{name}_ml": value for name, value in volumes.items()},
        "myocardium_g": volumes["myocardium"] * MYOCARDIUM_G_PER_ML,
        "scar_percent_lv": percent_of(regions.scar, regions.myocardium),
        **{f"{name}_percent_lv": value for name, value in percents.items()},
    }
    return ScanMeasures(
        slices=len(regions.signal),
        spacing_mm=float(np.sqrt(y_mm * x_mm)),
        slice_spacing_mm=float(z_mm),
        **judged,
        scar_g=volumes["scar"] * MYOCARDIUM_G_PER_ML,
        mvo_percent_lv=percent_of(regions.mvo, regions.myocardium),
        transmurality_mean=found.chords.transmurality() if found else None,
        **chord_columns(found.chords if found else None),
        scar_components=count,
        largest_scar_ml=largest * regions.grid.voxel_ml,
        **shape_columns(regions, found, WHOLE),
        remote_pixels=_own_remote_pixels(found),
        half_of=found.masks.half_of if found else None,
        apex_source=found.frame.apex_source if found else None,
        rv_insertion_source=found.frame.insertion_source if found else None,
        flags=find_flags(regions, found, judged),
    )


def _own_remote_pixels(found: Findings | None) -> int:
    own = {remote.slice_index: remote.pixels for remote in (found.remotes if found else []) if remote is not None}
    return sum(own.values())


def _slice(regions: Regions, found: Findings | None, index: int) -> SliceMeasures:
    def area(mask: NDArray[np.bool_]) -> float:
        return float(mask[index].sum() * regions.pixel_mm2)

    wall = regions.myocardium[index]
    chords = found.chords.chosen(found.chords.slice_index == index) if found else None
    return SliceMeasures(
        slice=index,
        z_mm=_height_mm(regions, found, index),
        level=found.levels[index] if found else None,
        blood_pool_mm2=area(regions.blood_pool),
        myocardium_mm2=area(regions.myocardium),
        scar_mm2=area(regions.scar),
        mvo_mm2=area(regions.mvo),
        scar_percent=percent_of(regions.scar[index], wall),
        mvo_percent=percent_of(regions.mvo[index], wall),
        **{f"{name}_percent": value for name, value in threshold_percents(regions, found, index).items()},
        transmurality=chords.transmurality() if chords else None,
        **chord_columns(chords),
        **shape_columns(regions, found, index),
        **remote_columns(found.remotes[index] if found else None),
        scar_peak=found.masks.peaks[index] if found else None,
        half_threshold=found.masks.halves[index] if found else None,
    )


def _height_mm(regions: Regions, found: Findings | None, index: int) -> float:
    """Return the slice's place along the stack's normal in patient space, rising towards the base."""
    normal = regions.grid.direction[:, 2]
    towards_base = -found.frame.towards_apex if found else normal
    return float(regions.grid.world(np.array([float(index), 0.0, 0.0])) @ towards_base)


def _segments(regions: Regions, found: Findings | None) -> tuple[SegmentMeasures, ...]:
    where = np.zeros(regions.myocardium.shape, np.uint8)
    if found is not None:
        where = segment_map(regions, found.frame, found.levels)
    return tuple(_segment(regions, found, segment, where == segment) for segment in SEGMENTS)


def _segment(regions: Regions, found: Findings | None, segment: int, wall: NDArray[np.bool_]) -> SegmentMeasures:
    """Measure one segment; its transmurality is 0 where it has chords but no scar."""
    chords = found.chords.chosen(found.chords.segment == segment) if found else None
    has_chords = chords is not None and bool(chords.wall_mm.size)
    transmurality = chords.transmurality() if chords else None
    volumes = {
        name: volume_ml(wall & getattr(regions, name), regions.grid.spacing_zyx_mm)
        for name in ("myocardium", "scar", "mvo")
    }
    return SegmentMeasures(
        segment=segment,
        **{f"{name}_ml": value for name, value in volumes.items()},
        myocardium_g=volumes["myocardium"] * MYOCARDIUM_G_PER_ML,
        scar_g=volumes["scar"] * MYOCARDIUM_G_PER_ML,
        scar_percent=percent_of(regions.scar, wall),
        mvo_percent=percent_of(regions.mvo, wall),
        **{f"{name}_percent": value for name, value in threshold_percents(regions, found, wall).items()},
        transmurality=0.0 if transmurality is None and has_chords else transmurality,
        **chord_columns(chords),
        **shape_columns(regions, found, wall),
    )
