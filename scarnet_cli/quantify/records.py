"""What `measure_study` returns; each field is the column of its name in the tables (units and meanings: the schema)."""

from dataclasses import dataclass

from scarnet_cli.quantify.orientation import ApexSource, InsertionSource
from scarnet_cli.quantify.segments import Level
from scarnet_cli.quantify.thresholds import HalfOf


@dataclass(frozen=True, slots=True)
class ScanMeasures:
    """Measures of one study; None is undefined, and a flag says why."""

    slices: int
    spacing_mm: float
    slice_spacing_mm: float
    blood_pool_ml: float
    myocardium_ml: float
    myocardium_g: float
    scar_ml: float
    scar_g: float
    scar_percent_lv: float | None
    mvo_ml: float
    mvo_percent_lv: float | None
    scar_2sd_percent_lv: float | None
    scar_3sd_percent_lv: float | None
    scar_4sd_percent_lv: float | None
    scar_5sd_percent_lv: float | None
    scar_6sd_percent_lv: float | None
    scar_fwhm_percent_lv: float | None
    core_percent_lv: float | None
    border_percent_lv: float | None
    transmurality_mean: float | None
    chords_0_percent: float | None
    chords_1_25_percent: float | None
    chords_26_50_percent: float | None
    chords_51_75_percent: float | None
    chords_76_100_percent: float | None
    endocardial_extent_percent: float | None
    wall_thickness_mm: float | None
    scar_components: int
    largest_scar_ml: float
    scar_interface_mm2: float | None
    scar_radiality: float | None
    myocardium_entropy: float | None
    scar_entropy: float | None
    remote_pixels: int
    half_of: HalfOf | None
    apex_source: ApexSource | None
    rv_insertion_source: InsertionSource | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartMeasures:
    """Measures that a slice and a segment share; percent is of the part's own myocardium."""

    scar_percent: float | None
    mvo_percent: float | None
    scar_2sd_percent: float | None
    scar_3sd_percent: float | None
    scar_4sd_percent: float | None
    scar_5sd_percent: float | None
    scar_6sd_percent: float | None
    scar_fwhm_percent: float | None
    core_percent: float | None
    border_percent: float | None
    transmurality: float | None
    chords_0_percent: float | None
    chords_1_25_percent: float | None
    chords_26_50_percent: float | None
    chords_51_75_percent: float | None
    chords_76_100_percent: float | None
    endocardial_extent_percent: float | None
    wall_thickness_mm: float | None
    scar_interface_mm2: float | None
    scar_radiality: float | None
    myocardium_entropy: float | None
    scar_entropy: float | None


@dataclass(frozen=True, slots=True)
class SliceMeasures(PartMeasures):
    """Measures of one slice."""

    slice: int
    z_mm: float
    level: Level | None
    blood_pool_mm2: float
    myocardium_mm2: float
    scar_mm2: float
    mvo_mm2: float
    remote_slice: int | None
    remote_pixels: int | None
    remote_angle_deg: float | None
    remote_mean: float | None
    remote_sd: float | None
    remote_peak: float | None
    scar_peak: float | None
    half_threshold: float | None


@dataclass(frozen=True, slots=True)
class SegmentMeasures(PartMeasures):
    """Measures of one AHA segment."""

    segment: int
    myocardium_ml: float
    myocardium_g: float
    scar_ml: float
    scar_g: float
    mvo_ml: float


@dataclass(frozen=True, slots=True)
class StudyMeasures:
    """All measures of one study: one scan, every slice of the stack, all 17 segments."""

    scan: ScanMeasures
    slices: tuple[SliceMeasures, ...]
    segments: tuple[SegmentMeasures, ...]
