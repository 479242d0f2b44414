"""Measures that tables share: those of the whole heart, of a slice and of an AHA segment."""

from typing import Final

from scarnet_cli.tables.columns import column, record

TRANSMURALITY: Final = "Mean part of the wall's thickness that is scar, over the radial chords that have scar"

_N_SD: Final = "Part of the myocardium brighter than mean + {} SD of remote myocardium; MVO counts as scar."
_FWHM: Final = (
    "Part of the myocardium above half of the scar's maximum and connected with the scar; MVO counts as scar."
)
_CORE: Final = (
    "Scar core: at or above half of the scar's maximum, within 5 mm of the segmented scar; MVO counts as core."
)
_BORDER: Final = "Border zone: between remote myocardium's peak and the core, within 5 mm of the segmented scar."
_CHORDS: Final = "Part of the radial chords with {} of the wall scar."
_INTERFACE: Final = (
    "Area of the interface between scar and healthy myocardium; the border with blood and the heart's surface left out."
)
_RADIALITY: Final = (
    "Mean depth of the scar in the wall, from 0 at the endocardium to 1 at the epicardium; null without."
)
_ENTROPY: Final = "Entropy of the {}'s signal in 64 bins from least to greatest; null of fewer than 64 voxels."


@record
class ThresholdMeasures:
    """Scar by each signal threshold, as a percentage of the myocardium."""

    scar_2sd_percent: float | None = column(_N_SD.format(2), "percent", label="2 SD")
    scar_3sd_percent: float | None = column(_N_SD.format(3), "percent", label="3 SD")
    scar_4sd_percent: float | None = column(_N_SD.format(4), "percent", label="4 SD")
    scar_5sd_percent: float | None = column(_N_SD.format(5), "percent", label="5 SD")
    scar_6sd_percent: float | None = column(_N_SD.format(6), "percent", label="6 SD")
    scar_fwhm_percent: float | None = column(_FWHM, "percent", label="FWHM")
    core_percent: float | None = column(_CORE, "percent", label="Core")
    border_percent: float | None = column(_BORDER, "percent", label="Border zone")


@record
class WallMeasures:
    """Measures of the radial chords through the wall, apart from transmurality."""

    chords_0_percent: float | None = column(_CHORDS.format("none"), "percent", label="Wall without scar")
    chords_1_25_percent: float | None = column(_CHORDS.format("up to 25 %"), "percent", label="1 to 25 % scar")
    chords_26_50_percent: float | None = column(_CHORDS.format("over 25 to 50 %"), "percent", label="26 to 50 % scar")
    chords_51_75_percent: float | None = column(_CHORDS.format("over 50 to 75 %"), "percent", label="51 to 75 % scar")
    chords_76_100_percent: float | None = column(_CHORDS.format("over 75 %"), "percent", label="76 to 100 % scar")
    endocardial_extent_percent: float | None = column(
        "Part of the radial chords whose endocardial end is scar.", "percent", label="Endocardium with scar"
    )
    wall_thickness_mm: float | None = column("Mean thickness of the wall along radial chords.", "mm")


@record
class ShapeMeasures:
    """The scar's shape and the entropy of the signal."""

    scar_interface_mm2: float | None = column(_INTERFACE, "mm2")
    scar_radiality: float | None = column(_RADIALITY, "fraction")
    myocardium_entropy: float | None = column(_ENTROPY.format("myocardium"), "bit")
    scar_entropy: float | None = column(_ENTROPY.format("scar"), "bit")
