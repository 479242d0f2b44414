"""All measures of one study: the values of the tables scans, slices and segments.

Volumes are areas times the distance between slice centres (J. Schulz-Menger et al., J Cardiovasc Magn Reson 2020;22:19,
doi 10.1186/s12968-020-00610-6). Scar burden is scar, MVO included, as a percentage of the myocardium, scar included.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.components import connected_components
from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.analysis import Analysis, analyse
from scarnet_cli.quantify.flags import find_flags
from scarnet_cli.quantify.orientation import Point
from scarnet_cli.quantify.parts import (
    MYOCARDIUM_G_PER_ML,
    percent_of,
    remote_measures,
    shape_measures,
    threshold_measures,
    volume_ml,
    wall_measures,
)
from scarnet_cli.quantify.regions import Regions, find_regions
from scarnet_cli.quantify.segments import SEGMENTS, segment_map
from scarnet_cli.tables.columns import record_of
from scarnet_cli.tables.scans import IndexedMeasures, ScanMeasures
from scarnet_cli.tables.segments import SegmentMeasures
from scarnet_cli.tables.slices import SliceMeasures

# Selects the whole heart as a `Part`.
WHOLE: Final = slice(None)


@dataclass(frozen=True, slots=True)
class StudyMeasures:
    """All measures of one study: of the whole heart, every slice and all 17 segments; and its flags."""

    scan: ScanMeasures
    slices: tuple[SliceMeasures, ...]
    segments: tuple[SegmentMeasures, ...]
    flags: tuple[str, ...]


def measure_study(image: Volume, labels: Volume, rv_insertion: Point | None = None) -> StudyMeasures:
    """Return all measures of one study.

    Without myocardium, volumes are 0, everything else is None and the flag `no_myocardium` is raised. Without scar, its
    volumes, percentages and FWHM are 0, and the mean transmurality (over chords with scar) is None.

    Args:
        image: LGE signal, (z, y, x), on any scale.
        labels: Label map on the same grid.
        rv_insertion: LPS position in mm of the anterior RV insertion; estimated from patient geometry when None.

    Raises:
        GeometryError: The grids differ.
        QuantificationError: A label value is unknown, the signal is not finite, or the RV insertion lies on the
            heart's axis.
    """
    regions = find_regions(image, labels)
    analysis = analyse(regions, rv_insertion)
    scan = _scan(regions, analysis)
    return StudyMeasures(
        scan=scan,
        slices=tuple(_slice(regions, analysis, index) for index in range(len(regions.signal))),
        segments=_segments(regions, analysis),
        flags=find_flags(regions, analysis, scan),
    )


def without_orientation(measures: StudyMeasures) -> StudyMeasures:
    """Return the measures of a stack of unknown orientation: those that depend on it become None."""
    return replace(
        measures,
        scan=replace(measures.scan, apex_source=None, rv_insertion_source=None),
        slices=tuple(replace(row, level=None) for row in measures.slices),
        segments=tuple(record_of(SegmentMeasures, {"segment": row.segment}) for row in measures.segments),
    )


def indexed(scan: ScanMeasures, bsa_m2: float | None) -> IndexedMeasures | None:
    """Return a study's measures by body surface area; None if that is not known."""
    if bsa_m2 is None:
        return None
    return IndexedMeasures(
        blood_pool_ml_m2=scan.blood_pool_ml / bsa_m2,
        myocardium_ml_m2=scan.myocardium_ml / bsa_m2,
        myocardium_g_m2=scan.myocardium_g / bsa_m2,
        scar_ml_m2=scan.scar_ml / bsa_m2,
        scar_g_m2=scan.scar_g / bsa_m2,
    )


def _scan(regions: Regions, analysis: Analysis | None) -> ScanMeasures:
    z_mm, y_mm, x_mm = spacing = regions.grid.spacing_zyx_mm
    myocardium_ml, scar_ml = volume_ml(regions.myocardium, spacing), volume_ml(regions.scar, spacing)
    pieces, count = connected_components(regions.scar)
    largest = int(np.bincount(pieces.ravel())[1:].max()) if count else 0
    chords = analysis.chords if analysis else None
    return ScanMeasures(
        slices=len(regions.signal),
        spacing_mm=float(np.sqrt(y_mm * x_mm)),
        slice_spacing_mm=float(z_mm),
        blood_pool_ml=volume_ml(regions.blood_pool, spacing),
        myocardium_ml=myocardium_ml,
        myocardium_g=myocardium_ml * MYOCARDIUM_G_PER_ML,
        scar_ml=scar_ml,
        scar_g=scar_ml * MYOCARDIUM_G_PER_ML,
        scar_percent_lv=percent_of(regions.scar, regions.myocardium),
        mvo_ml=volume_ml(regions.mvo, spacing),
        mvo_percent_lv=percent_of(regions.mvo, regions.myocardium),
        thresholds=threshold_measures(regions, analysis, WHOLE),
        transmurality_mean=chords.transmurality() if chords else None,
        wall=wall_measures(chords),
        scar_components=count,
        largest_scar_ml=largest * regions.grid.voxel_ml,
        shape=shape_measures(regions, analysis, WHOLE, chords),
        remote_pixels=_own_remote_pixels(analysis),
        half_of=analysis.masks.half_of if analysis else None,
        apex_source=analysis.frame.apex_source if analysis else None,
        rv_insertion_source=analysis.frame.insertion_source if analysis else None,
    )


def _own_remote_pixels(analysis: Analysis | None) -> int:
    own = {remote.slice_index: remote.pixels for remote in (analysis.remotes if analysis else []) if remote is not None}
    return sum(own.values())


def _slice(regions: Regions, analysis: Analysis | None, index: int) -> SliceMeasures:
    def area(mask: NDArray[np.bool_]) -> float:
        return float(mask[index].sum() * regions.pixel_mm2)

    wall = regions.myocardium[index]
    chords = analysis.chords.chosen(analysis.chords.slice_index == index) if analysis else None
    return SliceMeasures(
        slice=index,
        z_mm=_height_mm(regions, analysis, index),
        level=analysis.levels[index] if analysis else None,
        blood_pool_mm2=area(regions.blood_pool),
        myocardium_mm2=area(regions.myocardium),
        scar_mm2=area(regions.scar),
        mvo_mm2=area(regions.mvo),
        scar_percent=percent_of(regions.scar[index], wall),
        mvo_percent=percent_of(regions.mvo[index], wall),
        thresholds=threshold_measures(regions, analysis, index),
        transmurality=chords.transmurality() if chords else None,
        wall=wall_measures(chords),
        shape=shape_measures(regions, analysis, index, chords),
        remote=remote_measures(analysis.remotes[index] if analysis else None),
        scar_peak=analysis.masks.peaks[index] if analysis else None,
        half_threshold=analysis.masks.halves[index] if analysis else None,
    )


def _height_mm(regions: Regions, analysis: Analysis | None, index: int) -> float:
    """Return the slice's position in mm along the stack's normal in patient space, rising towards the base."""
    normal = regions.grid.direction[:, 2]
    towards_base = -analysis.frame.towards_apex if analysis else normal
    return float(regions.grid.world(np.array([float(index), 0.0, 0.0])) @ towards_base)


def _segments(regions: Regions, analysis: Analysis | None) -> tuple[SegmentMeasures, ...]:
    where = np.zeros(regions.myocardium.shape, np.uint8)
    if analysis is not None:
        where = segment_map(regions, analysis.frame, analysis.levels)
    return tuple(_segment(regions, analysis, segment, where == segment) for segment in SEGMENTS)


def _segment(regions: Regions, analysis: Analysis | None, segment: int, wall: NDArray[np.bool_]) -> SegmentMeasures:
    """Measure one segment; its transmurality is 0 if it has chords but no scar."""
    chords = analysis.chords.chosen(analysis.chords.segment == segment) if analysis else None
    has_chords = chords is not None and bool(chords.wall_mm.size)
    transmurality = chords.transmurality() if chords else None
    myocardium_ml, scar_ml, mvo_ml = (
        volume_ml(wall & mask, regions.grid.spacing_zyx_mm) for mask in (regions.myocardium, regions.scar, regions.mvo)
    )
    return SegmentMeasures(
        segment=segment,
        myocardium_ml=myocardium_ml,
        myocardium_g=myocardium_ml * MYOCARDIUM_G_PER_ML,
        scar_ml=scar_ml,
        scar_g=scar_ml * MYOCARDIUM_G_PER_ML,
        scar_percent=percent_of(regions.scar, wall),
        mvo_ml=mvo_ml,
        mvo_percent=percent_of(regions.mvo, wall),
        thresholds=threshold_measures(regions, analysis, wall),
        transmurality=0.0 if transmurality is None and has_chords else transmurality,
        wall=wall_measures(chords),
        shape=shape_measures(regions, analysis, wall, chords),
    )
