"""The flags (scarnet_cli.tables.flags) that a study's labels, signal and measures raise."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.components import connected_components
from scarnet_cli.quantify.analysis import Analysis
from scarnet_cli.quantify.regions import Regions
from scarnet_cli.quantify.signal_flags import find_signal_flags
from scarnet_cli.tables.flags import FLAGS
from scarnet_cli.tables.scans import ScanMeasures

MIN_SLICES: Final = 3
PIECE_PART: Final = 0.05
# Short-axis stacks have slices of 6 to 8 mm with gaps of up to 4 mm; between slices farther apart, volumes are a guess.
LONGEST_SLICE_SPACING_MM: Final = 12.0
# Of 80 complete hearts with experts' contours, 3 have a last apical slice larger than this fraction of their largest
# slice, and one is shorter than this length (40 mm).
LARGEST_APICAL_PART: Final = 0.6
LEAST_LENGTH_MM: Final = 50.0
# A heart's axis is straight within 3 mm even with a breath-hold per slice; the wall is 8 to 10 mm thick.
MOST_SHIFT_MM: Final = 5.0
# Those 80 hearts have 52 to 186 g and 34 to 219 ml; the limits leave room for children's, dilated and thick hearts.
PLAUSIBLE_MYOCARDIUM_G: Final = (30.0, 350.0)
PLAUSIBLE_BLOOD_POOL_ML: Final = (15.0, 400.0)
# In 95 % of those hearts FWHM or 5-SD comes within 7 percentage points of the experts' scar.
MOST_DISAGREEMENT_POINTS: Final = 10.0


def find_flags(regions: Regions, analysis: Analysis | None, scan: ScanMeasures) -> tuple[str, ...]:
    """Return the codes of a study's flags, in the order of `FLAGS`."""
    if analysis is None:
        return ("no_myocardium",)
    with_wall = np.flatnonzero(regions.myocardium.any(axis=(1, 2)))
    few = with_wall.size < MIN_SLICES
    raised = {
        "no_cavity": not regions.cavity.any(),
        "no_scar": not regions.scar.any(),
        "no_remote": analysis.masks.n_sd is None,
        "remote_borrowed": _remote_borrowed(analysis),
        "mvo_without_scar": _mvo_without_scar(regions),
        "few_slices": few,
        "missing_slice": with_wall[-1] - with_wall[0] + 1 > with_wall.size,
        "myocardium_in_pieces": _in_pieces(regions),
        "slice_gap": regions.grid.spacing_zyx_mm[0] > LONGEST_SLICE_SPACING_MM,
        "heart_at_picture_edge": regions.at_picture_edge,
        # too few slices to judge these; `few_slices` says so
        "base_or_apex_missing": not few and _base_or_apex_missing(regions, analysis, with_wall),
        "implausible_volume": not few and _implausible(scan),
        "slices_shifted": _greatest_shift_mm(analysis.frame.centres_yx[with_wall] * regions.in_plane_mm)
        > MOST_SHIFT_MM,
        "methods_disagree": _methods_disagree(scan),
        **find_signal_flags(regions, analysis.remotes),
    }
    return tuple(code for code in FLAGS if raised.get(code, False))


def _remote_borrowed(analysis: Analysis) -> bool:
    return any(remote is not None and remote.slice_index != index for index, remote in enumerate(analysis.remotes))


def _mvo_without_scar(regions: Regions) -> bool:
    pieces, count = connected_components(regions.scar)
    with_scar = np.unique(pieces[regions.scar & ~regions.mvo])
    return len(with_scar) < count


def _in_pieces(regions: Regions) -> bool:
    pieces, count = connected_components(regions.myocardium)
    sizes = np.sort(np.bincount(pieces.ravel(), minlength=count + 1)[1:])
    return count > 1 and bool(sizes[-2] >= PIECE_PART * sizes[-1])


def _base_or_apex_missing(regions: Regions, analysis: Analysis, with_wall: NDArray[np.intp]) -> bool:
    """Return whether the last apical slice is too large or the heart too short; a heart with a cap has its apex."""
    apex_last = analysis.frame.towards_apex @ regions.grid.direction[:, 2] > 0
    areas = (regions.cavity | regions.myocardium).sum(axis=(1, 2))[with_wall]
    wide = areas[-1 if apex_last else 0] > LARGEST_APICAL_PART * areas.max()
    length_mm = (with_wall[-1] - with_wall[0] + 1) * regions.grid.spacing_zyx_mm[0]
    return ("cap" not in analysis.levels and bool(wide)) or bool(length_mm < LEAST_LENGTH_MM)


def _greatest_shift_mm(centres_mm: NDArray[np.float64]) -> float:
    """Return the greatest distance of a (slices, 2) centre from the midpoint of its neighbours; 0 below 3 slices."""
    off = centres_mm[1:-1] - (centres_mm[:-2] + centres_mm[2:]) / 2
    return float(np.hypot(off[:, 0], off[:, 1]).max(initial=0.0))


def _implausible(scan: ScanMeasures) -> bool:
    """Return whether a volume fits no heart; without a labelled blood pool only the myocardium is judged."""
    blood_ml = scan.blood_pool_ml
    return not _within(scan.myocardium_g, PLAUSIBLE_MYOCARDIUM_G) or (
        blood_ml > 0 and not _within(blood_ml, PLAUSIBLE_BLOOD_POOL_ML)
    )


def _within(value: float, limits: Sequence[float]) -> bool:
    return limits[0] <= value <= limits[1]


def _methods_disagree(scan: ScanMeasures) -> bool:
    """Return whether FWHM and 5-SD both lie far from the labelled scar; false if any of the three is undefined."""
    labelled, others = scan.scar_percent_lv, (scan.thresholds.scar_fwhm_percent, scan.thresholds.scar_5sd_percent)
    return labelled is not None and all(
        other is not None and abs(labelled - other) > MOST_DISAGREEMENT_POINTS for other in others
    )
