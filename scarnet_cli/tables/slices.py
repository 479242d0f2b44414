"""The table `slices`: one row per slice of a measured study."""

from typing import Literal

from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.measures import TRANSMURALITY, ShapeMeasures, ThresholdMeasures, WallMeasures
from scarnet_cli.tables.studies import STUDY_ID

Level = Literal["base", "mid", "apex", "cap"]


@record
class RemoteMeasures:
    """The remote region that a slice is compared with."""

    remote_slice: int = column("Slice of the remote myocardium used: another slice where this one has too little.")
    remote_pixels: int = column("Size of that remote region.")
    remote_angle_deg: float | None = column(
        "Its middle, from the anterior RV insertion through the septum; null all round.", "deg"
    )
    remote_mean: float = column("Its mean signal, in the image's own units.")
    remote_sd: float = column("Standard deviation of its signal.")
    remote_peak: float = column("Its greatest signal; the border zone begins above it.")


@record
class SliceMeasures:
    """Measures of one slice; percentages are of the slice's myocardium, None is undefined."""

    slice: int = column("Index of the slice in image.nii.gz, from 0.", required=True)
    z_mm: float = column("Place of the slice along the stack's normal in patient space, rising towards the base.", "mm")
    level: Level | None = column(
        "Third of the myocardium's length: 'base', 'mid', 'apex', or 'cap'; null without myocardium."
    )
    blood_pool_mm2: float = column("Area of the blood pool.", "mm2")
    myocardium_mm2: float = column("Area of the myocardium, scar and MVO included.", "mm2")
    scar_mm2: float = column("Area of the scar, MVO included.", "mm2")
    mvo_mm2: float = column("Area of microvascular obstruction.", "mm2")
    scar_percent: float | None = column("Scar, MVO included, of the slice's myocardium.", "percent")
    mvo_percent: float | None = column("Microvascular obstruction of the slice's myocardium.", "percent")
    thresholds: ThresholdMeasures = block()
    transmurality: float | None = column(f"{TRANSMURALITY}; null without scar.", "percent")
    wall: WallMeasures = block()
    shape: ShapeMeasures = block()
    remote: RemoteMeasures | None = block()
    scar_peak: float | None = column("The scar's greatest signal (maximum of 3 x 3 means), MVO left out.")
    half_threshold: float | None = column("Signal above which FWHM and core lie.")


@record
class SliceRow:
    """One slice of a measured study."""

    study_id: str = column(STUDY_ID, required=True)
    measures: SliceMeasures = block()
