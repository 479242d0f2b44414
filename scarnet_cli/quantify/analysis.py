"""The analysis that is done once per study, before the whole, its slices and its segments are measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.quantify.chords import Chords, find_chords
from scarnet_cli.quantify.interface import interface_mm2
from scarnet_cli.quantify.orientation import HeartFrame, Point, find_frame
from scarnet_cli.quantify.regions import Regions
from scarnet_cli.quantify.remote import Remote, find_remotes
from scarnet_cli.quantify.segments import find_levels
from scarnet_cli.quantify.thresholds import ThresholdMasks, find_threshold_masks
from scarnet_cli.tables.slices import Level


@dataclass(frozen=True, slots=True)
class Analysis:
    """Directions, remote regions, threshold masks and chords of a study that has myocardium.

    Attributes:
        frame: Directions of the heart.
        levels: Level of each slice.
        remotes: Remote region of each slice.
        masks: The scar mask of each threshold.
        chords: Radial chords through the wall.
        interface_mm2: (z, y, x) area of the interface between scar and healthy myocardium at each voxel.
    """

    frame: HeartFrame
    levels: list[Level | None]
    remotes: list[Remote | None]
    masks: ThresholdMasks
    chords: Chords
    interface_mm2: NDArray[np.float64]


def analyse(regions: Regions, rv_insertion: Point | None) -> Analysis | None:
    """Return the analysis of a study, or None if it has no myocardium.

    Args:
        regions: The study's regions.
        rv_insertion: LPS position in mm of the anterior RV insertion; estimated from patient geometry when None.

    Raises:
        QuantificationError: The RV insertion lies on the heart's axis.
    """
    if not regions.myocardium.any():
        return None
    frame = find_frame(regions, rv_insertion)
    levels = find_levels(regions, frame)
    remotes = find_remotes(regions, frame)
    masks = find_threshold_masks(regions, remotes)
    interface = interface_mm2(regions.myocardium, regions.scar, regions.grid.spacing_zyx_mm)
    return Analysis(frame, levels, remotes, masks, find_chords(regions, frame, levels), interface)
