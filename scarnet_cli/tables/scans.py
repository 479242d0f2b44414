"""The table `scans`: one row per measured study."""

from typing import Final, Literal

from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.measures import TRANSMURALITY, ShapeMeasures, ThresholdMeasures, WallMeasures
from scarnet_cli.tables.studies import STUDY_ID, StudyLabels

Sex = Literal["M", "F", "O"]
HalfOf = Literal["signal", "rise_above_remote"]
ApexSource = Literal["geometry", "shape"]
InsertionSource = Literal["given", "estimated"]
LabelsSource = Literal["network", "corrected", "given"]


@record
class PatientFacts:
    """What the header of the measured stack says of the patient, on the day of the study."""

    study_date: str | None = column(
        "DICOM StudyDate, YYYY-MM-DD; with --deidentify earlier by a number of days that is the patient's own, so that "
        "intervals stay."
    )
    patient_sex: Sex | None = column("DICOM PatientSex: 'M', 'F' or 'O' (other).")
    patient_age_years: float | None = column(
        "DICOM PatientAge, else whole years from birth to study; with --deidentify above 89: 90.", "years", label="Age"
    )
    patient_height_cm: float | None = column("DICOM PatientSize.", "cm", label="Height")
    patient_weight_kg: float | None = column("DICOM PatientWeight.", "kg", label="Weight")
    bsa_m2: float | None = column(
        "Body surface area, sqrt(cm x kg / 3600) (Mosteller, doi 10.1056/NEJM198710223171717).",
        "m2",
        label="Body surface",
    )


@record
class AcquisitionFacts:
    """What the headers of the measured stack say of scanner and sequence."""

    scanner_model: str | None = column("DICOM ManufacturerModelName, with --deidentify known words of it.")
    field_strength_t: float | None = column("DICOM MagneticFieldStrength.", "T", label="Field strength")
    sequence_name: str | None = column(
        "DICOM SequenceName or PulseSequenceName; with --deidentify names that only scanners make, else known words."
    )
    inversion_time_ms: float | None = column("DICOM InversionTime; median of the slices.", "ms", label="Inversion time")
    slice_thickness_mm: float | None = column("DICOM SliceThickness; median of the slices.", "mm")
    slice_gap_mm: float | None = column("Slice spacing less slice thickness; negative where slices overlap.", "mm")
    contrast_agent: str | None = column("DICOM ContrastBolusAgent, with --deidentify known words of it.")
    after_injection_min: float | None = column(
        "From the injection (ContrastBolusStartTime) to the stack's first image; null where it is not 0 to 120.",
        "min",
        label="After injection",
    )


NO_PATIENT: Final = PatientFacts(None, None, None, None, None, None)
NO_ACQUISITION: Final = AcquisitionFacts(None, None, None, None, None, None, None, None)


@record
class ScanMeasures:
    """Measures of a whole study by QUANTIFY; None is undefined, and a flag says why."""

    slices: int = column("Number of slices in the stack.")
    spacing_mm: float = column(
        "In-plane distance between pixel centres; geometric mean where rows and columns differ.", "mm"
    )
    slice_spacing_mm: float = column("Distance between slice centres (not slice thickness).", "mm")
    blood_pool_ml: float = column("Volume of the left ventricle's blood pool.", "ml")
    myocardium_ml: float = column("Volume of the myocardium, scar and MVO included.", "ml")
    myocardium_g: float = column("Mass of the myocardium: volume x 1.05 g/ml.", "g")
    scar_ml: float = column("Volume of the segmented scar, MVO included.", "ml")
    scar_g: float = column("Mass of the segmented scar, MVO included.", "g")
    scar_percent_lv: float | None = column("Segmented scar, MVO included, of the myocardium's volume.", "percent")
    mvo_ml: float = column("Volume of microvascular obstruction.", "ml", label="MVO")
    mvo_percent_lv: float | None = column(
        "Microvascular obstruction of the myocardium's volume.", "percent", label="MVO"
    )
    thresholds: ThresholdMeasures = block(names="{}_lv")
    transmurality_mean: float | None = column(
        f"{TRANSMURALITY}; null without scar.", "percent", label="Mean where there is scar"
    )
    wall: WallMeasures = block()
    scar_components: int = column("Number of connected pieces of scar (26 neighbours).", label="Pieces of scar")
    largest_scar_ml: float = column("Volume of the largest connected piece of scar.", "ml", label="Largest piece")
    shape: ShapeMeasures = block()
    remote_pixels: int = column("Pixels of remote myocardium, all slices together.", label="Pixels of remote wall")
    half_of: HalfOf | None = column(
        "What FWHM and core halve: 'signal', or 'rise_above_remote' where remote is bright; null without scar."
    )
    apex_source: ApexSource | None = column("What told the apex's end of the stack: 'geometry' or 'shape'.")
    rv_insertion_source: InsertionSource | None = column(
        "Whether the anterior RV insertion was 'given' or 'estimated' from geometry."
    )


@record
class IndexedMeasures:
    """Measures by body surface area."""

    blood_pool_ml_m2: float = column(
        "Blood pool by body surface area (bsa_m2); null where that is not known.", "ml/m2", label="Blood pool"
    )
    myocardium_ml_m2: float = column("Myocardium by body surface area; null likewise.", "ml/m2", label="Myocardium")
    myocardium_g_m2: float = column("Mass of the myocardium by body surface area; null likewise.", "g/m2", label="Mass")
    scar_ml_m2: float = column("Scar, MVO included, by body surface area; null likewise.", "ml/m2", label="Scar")
    scar_g_m2: float = column("Mass of the scar by body surface area; null likewise.", "g/m2", label="Scar, mass")


_LOW: Final = "Lower end of the 90 % interval for {}; null with given labels or weights that are not calibrated."
_HIGH: Final = "Upper end of that interval."


@record
class IntervalMeasures:
    """90 % intervals: on held-out cases, nine of ten experts' values lie within them."""

    scar_percent_lv_low: float | None = column(_LOW.format("scar"), "percent")
    scar_percent_lv_high: float | None = column(_HIGH, "percent")
    scar_ml_low: float | None = column(_LOW.format("scar"), "ml")
    scar_ml_high: float | None = column(_HIGH, "ml")
    mvo_percent_lv_low: float | None = column(_LOW.format("MVO"), "percent")
    mvo_percent_lv_high: float | None = column(_HIGH, "percent")


@record
class ReferenceMeasures:
    """Measures of the samplesheet's reference label map, and the agreement with it."""

    reference_myocardium_ml: float = column(
        "Volume of the reference's myocardium; null without a reference in the samplesheet, or with one that is not on "
        "the image's grid.",
        "ml",
    )
    reference_scar_ml: float = column("Volume of the reference's scar, MVO included.", "ml")
    reference_scar_percent_lv: float | None = column("Reference's scar, MVO included, of its myocardium.", "percent")
    myocardium_dice: float = column(
        "Overlap of myocardium with the reference's, 0-1; two empty regions: 1.", label="Myocardium, Dice"
    )
    scar_dice: float = column(
        "Overlap of scar, MVO included, with the reference's, 0-1; two empty regions: 1.", label="Scar, Dice"
    )
    myocardium_hd95_mm: float | None = column(
        "95th percentile of the distances between the surfaces of myocardium and reference; null if one is empty.",
        "mm",
        label="Myocardium, HD95",
    )
    scar_hd95_mm: float | None = column(
        "95th percentile of the distances between the surfaces of scar and reference; null if one is empty.",
        "mm",
        label="Scar, HD95",
    )


@record
class LabelsOrigin:
    """Where the label map that was measured comes from."""

    labels_source: LabelsSource = column(
        "Whose label map was measured: the 'network''s, one 'corrected' by a reader (--corrected), or one 'given' in "
        "the samplesheet or by another program."
    )
    labels_reader: str | None = column(
        "Reader whose label map it is: the folder of --corrected that holds it; null without such a folder.",
        default=None,
    )
    labels_editor: str | None = column(
        "Who drew it, where a DICOM Segmentation says so; null with --deidentify.", default=None
    )
    labels_date: str | None = column(
        "When it was drawn, YYYY-MM-DD: as a DICOM Segmentation says, else of the file's last change (UTC); null for "
        "the network's.",
        default=None,
    )


@record
class NetworkMeasures:
    """What the network made of a study whose label map came from elsewhere."""

    network_myocardium_ml: float = column(
        "Volume of the network's myocardium; null where its label map was measured itself, or where it found no heart.",
        "ml",
        label="Myocardium",
    )
    network_scar_ml: float = column("Volume of the network's scar, MVO included; null as above.", "ml", label="Scar")
    network_scar_percent_lv: float | None = column(
        "Network's scar, MVO included, of its myocardium; null as above.", "percent", label="Scar"
    )
    network_myocardium_dice: float = column(
        "Overlap of the network's myocardium with the measured one, 0-1; null as above.", label="Myocardium, Dice"
    )
    network_scar_dice: float = column(
        "Overlap of the network's scar with the measured one, 0-1; null as above.", label="Scar, Dice"
    )


@record
class ScanRow:
    """One measured study."""

    study_id: str = column(STUDY_ID, required=True)
    labels: StudyLabels = block()
    study_instance_uid: str | None = column(
        "DICOM StudyInstanceUID, with --deidentify a new one; null where the input was NIfTI."
    )
    manufacturer: str | None = column("DICOM Manufacturer, with --deidentify known words of it.")
    patient_facts: PatientFacts = block()
    acquisition: AcquisitionFacts = block()
    measures: ScanMeasures = block()
    indexed: IndexedMeasures | None = block()
    intervals: IntervalMeasures | None = block()
    reference: ReferenceMeasures | None = block()
    origin: LabelsOrigin = block()
    network: NetworkMeasures | None = block()
    scar_probability: float | None = column(
        "Probability that the heart has scar; null with given labels or weights that are not calibrated.",
        "fraction",
    )
    confidence: float | None = column(
        "The network's confidence in the label map: the Dice to expect of myocardium times that of scar, or without "
        "scar times the probability that there is none.",
        "fraction",
    )
    flags: tuple[str, ...] = column("What a reader should know of this study, as codes; empty when nothing.")
    reviewed: str | None = column("A reader's decision: 'accept' or 'reject'; null without one.")
    model: str | None = column(
        "Name of the segmentation model, or the command that ran one (--segment_command), without folders; null where "
        "the labels were given."
    )
    model_sha256: str | None = column(
        "SHA-256 of the model's weights file, or of the command; null where the labels were given."
    )
    segment_mode: str | None = column(
        "How the model was used: 'default', or 'fast', each slice looked at once; 'command' of another network's; null "
        "where the labels were given."
    )
    localiser_sha256: str | None = column(
        "SHA-256 of the weights of the network that cropped round the heart; null where the labels were given."
    )
    decision_scar_share: float | None = column(
        "Threshold of the model: part of the myocardium's probability above which a voxel is scar; null where the "
        "labels were given."
    )
    decision_least_scar_percent: float | None = column(
        "Threshold of the model: a heart with less scar has none; null as above.", "percent"
    )
    decision_least_expected_scar_percent: float | None = column(
        "Threshold of the model: a heart that lets expect less scar has none; null as above.", "percent"
    )
    decision_least_mvo_percent: float | None = column(
        "Threshold of the model: a smaller piece of MVO, of the myocardium, is scar; null as above.", "percent"
    )
    device: str | None = column(
        "What the model computed on: 'cpu', or the GPU's name; null where the labels were given or a command ran it."
    )
    pipeline_version: str | None = column("Version of the pipeline that made this row.")


# Columns that say what labelled a study: the networks, their mode and the thresholds of their decision.
LABELLED_BY: Final = (
    "model",
    "model_sha256",
    "segment_mode",
    "localiser_sha256",
    "decision_scar_share",
    "decision_least_scar_percent",
    "decision_least_expected_scar_percent",
    "decision_least_mvo_percent",
)
