"""The cohort's tables: one pyarrow schema each, with every column's unit and meaning.

Outside scripts read these names: a released column is never renamed, only added to. `docs/output.md` and
`dictionary.csv` are made from this module. Undefined is null, never 0 or -1.
"""

from typing import Final

import pyarrow as pa

# Raised when a column changes its type or meaning or goes; adding a column does not raise it.
SCHEMA_VERSION: Final = "1"

TEXT: Final = pa.string()
NUMBER: Final = pa.float64()
COUNT: Final = pa.int32()
CODES: Final = pa.list_(pa.field("element", pa.string()))


def column(name: str, kind: pa.DataType, meaning: str, unit: str = "", *, required: bool = False) -> pa.Field:
    """Return a column with its unit and meaning in the field's metadata.

    Args:
        name: Column name; ends in its unit where it has one.
        kind: Arrow type.
        meaning: One sentence for `dictionary.csv`.
        unit: "mm", "ml", "g", "percent" (0-100), "fraction" (0-1), "bit" or empty.
        required: A null here is an error.
    """
    return pa.field(name, kind, nullable=not required, metadata={"unit": unit, "meaning": meaning})


# What a samplesheet may say of a study, for the user's own sorting: column -> meaning.
LABELS: Final = {
    "patient": "Label that joins the studies of one patient, with --deidentify a pseudonym",
    "site": "Label of the hospital or scanner that the study comes from",
    "group": "Label of the group that the study belongs to, such as a trial's arm",
    "visit": "Label of the visit at which the study was made, such as baseline",
}


def _labels() -> list[pa.Field]:
    return [column(name, TEXT, f"{meaning}; from the samplesheet, else null.") for name, meaning in LABELS.items()]


def _study_id() -> pa.Field:
    meaning = (
        "Samplesheet name, else the first 16 hex digits of SHA-256 of StudyInstanceUID; with --deidentify a pseudonym."
    )
    return column("study_id", TEXT, meaning, required=True)


def _n_sd(suffix: str) -> list[pa.Field]:
    meaning = "Part of the myocardium brighter than mean + {} SD of remote myocardium; MVO counts as scar."
    return [column(f"scar_{n}sd_percent{suffix}", NUMBER, meaning.format(n), "percent") for n in range(2, 7)]


def _half_maximum(suffix: str) -> list[pa.Field]:
    fwhm = "Part of the myocardium above half of the scar's maximum and connected with the scar; MVO counts as scar."
    core = "Scar core: at or above half of the scar's maximum, within 5 mm of the segmented scar; MVO counts as core."
    border = "Border zone: between remote myocardium's peak and the core, within 5 mm of the segmented scar."
    return [
        column(f"scar_fwhm_percent{suffix}", NUMBER, fwhm, "percent"),
        column(f"core_percent{suffix}", NUMBER, core, "percent"),
        column(f"border_percent{suffix}", NUMBER, border, "percent"),
    ]


_COMPARED: Final = "null without a reference in the samplesheet, or with one that is not on the image's grid"
_REFERENCE: Final = [
    column("reference_myocardium_ml", NUMBER, f"Volume of the reference's myocardium; {_COMPARED}.", "ml"),
    column("reference_scar_ml", NUMBER, "Volume of the reference's scar, MVO included.", "ml"),
    column("reference_scar_percent_lv", NUMBER, "Reference's scar, MVO included, of its myocardium.", "percent"),
    column("myocardium_dice", NUMBER, "Overlap of myocardium with the reference's, 0-1; two empty regions: 1."),
    column("scar_dice", NUMBER, "Overlap of scar, MVO included, with the reference's, 0-1; two empty regions: 1."),
    *(
        column(
            f"{region}_hd95_mm",
            NUMBER,
            f"95th percentile of the distances between the surfaces of {region} and reference; null if one is empty.",
            "mm",
        )
        for region in ("myocardium", "scar")
    ),
]

_TRANSMURALITY: Final = "Mean part of the wall's thickness that is scar, over the radial chords that have scar"
_ENDOCARDIAL: Final = "Part of the radial chords whose endocardial end is scar."
_WALL: Final = "Mean thickness of the wall along radial chords."

_KIM: Final = [
    column(f"chords_{name}_percent", NUMBER, f"Part of the radial chords with {words} of the wall scar.", "percent")
    for name, words in (
        ("0", "none"),
        ("1_25", "up to 25 %"),
        ("26_50", "over 25 to 50 %"),
        ("51_75", "over 50 to 75 %"),
        ("76_100", "over 75 %"),
    )
]

_INTERFACE: Final = (
    "Area of the interface between scar and healthy myocardium; the border with blood and the heart's surface left out."
)
_RADIALITY: Final = (
    "Mean depth of the scar in the wall, from 0 at the endocardium to 1 at the epicardium; null without."
)
_ENTROPY: Final = "Entropy of the {}'s signal in 64 bins from least to greatest; null of fewer than 64 voxels."

_SHAPE: Final = [
    column("scar_interface_mm2", NUMBER, _INTERFACE, "mm2"),
    column("scar_radiality", NUMBER, _RADIALITY, "fraction"),
    column("myocardium_entropy", NUMBER, _ENTROPY.format("myocardium"), "bit"),
    column("scar_entropy", NUMBER, _ENTROPY.format("scar"), "bit"),
]

_SCANS: Final = [
    _study_id(),
    *_labels(),
    column(
        "study_instance_uid",
        TEXT,
        "DICOM StudyInstanceUID, with --deidentify a new one; null where the input was NIfTI.",
    ),
    column("manufacturer", TEXT, "DICOM Manufacturer, with --deidentify known words of it."),
    column("slices", COUNT, "Number of slices in the stack."),
    column(
        "spacing_mm",
        NUMBER,
        "In-plane distance between pixel centres; geometric mean where rows and columns differ.",
        "mm",
    ),
    column("slice_spacing_mm", NUMBER, "Distance between slice centres (not slice thickness).", "mm"),
    column("blood_pool_ml", NUMBER, "Volume of the left ventricle's blood pool.", "ml"),
    column("myocardium_ml", NUMBER, "Volume of the myocardium, scar and MVO included.", "ml"),
    column("myocardium_g", NUMBER, "Mass of the myocardium: volume x 1.05 g/ml.", "g"),
    column("scar_ml", NUMBER, "Volume of the segmented scar, MVO included.", "ml"),
    column("scar_g", NUMBER, "Mass of the segmented scar, MVO included.", "g"),
    column("scar_percent_lv", NUMBER, "Segmented scar, MVO included, of the myocardium's volume.", "percent"),
    column("mvo_ml", NUMBER, "Volume of microvascular obstruction.", "ml"),
    column("mvo_percent_lv", NUMBER, "Microvascular obstruction of the myocardium's volume.", "percent"),
    *_n_sd("_lv"),
    *_half_maximum("_lv"),
    column("transmurality_mean", NUMBER, f"{_TRANSMURALITY}; null without scar.", "percent"),
    *_KIM,
    column("endocardial_extent_percent", NUMBER, _ENDOCARDIAL, "percent"),
    column("wall_thickness_mm", NUMBER, _WALL, "mm"),
    column("scar_components", COUNT, "Number of connected pieces of scar (26 neighbours)."),
    column("largest_scar_ml", NUMBER, "Volume of the largest connected piece of scar.", "ml"),
    *_SHAPE,
    column("remote_pixels", COUNT, "Pixels of remote myocardium, all slices together."),
    column(
        "half_of",
        TEXT,
        "What FWHM and core halve: 'signal', or 'rise_above_remote' where remote is bright; null without scar.",
    ),
    column("apex_source", TEXT, "What told the apex's end of the stack: 'geometry' or 'shape'."),
    column("rv_insertion_source", TEXT, "Whether the anterior RV insertion was 'given' or 'estimated' from geometry."),
    *_REFERENCE,
    column("confidence", NUMBER, "The network's confidence in the label map.", "fraction"),
    column("flags", CODES, "What a reader should know of this study, as codes; empty when nothing."),
    column("reviewed", TEXT, "A reader's decision: 'accept' or 'reject'; null without one."),
    column("model", TEXT, "Name of the segmentation model; null where the labels were given."),
    column("model_sha256", TEXT, "SHA-256 of the model's weights file; null where the labels were given."),
    column(
        "segment_mode",
        TEXT,
        "How the model was used: 'default', or 'fast', each slice looked at once; null where the labels were given.",
    ),
    column("device", TEXT, "What the model computed on: 'cpu', or the GPU's name; null where the labels were given."),
    column("pipeline_version", TEXT, "Version of the pipeline that made this row."),
]

_SLICES: Final = [
    _study_id(),
    column("slice", COUNT, "Index of the slice in image.nii.gz, from 0.", required=True),
    column(
        "z_mm", NUMBER, "Place of the slice along the stack's normal in patient space, rising towards the base.", "mm"
    ),
    column(
        "level", TEXT, "Third of the myocardium's length: 'base', 'mid', 'apex', or 'cap'; null without myocardium."
    ),
    column("blood_pool_mm2", NUMBER, "Area of the blood pool.", "mm2"),
    column("myocardium_mm2", NUMBER, "Area of the myocardium, scar and MVO included.", "mm2"),
    column("scar_mm2", NUMBER, "Area of the scar, MVO included.", "mm2"),
    column("mvo_mm2", NUMBER, "Area of microvascular obstruction.", "mm2"),
    column("scar_percent", NUMBER, "Scar, MVO included, of the slice's myocardium.", "percent"),
    column("mvo_percent", NUMBER, "Microvascular obstruction of the slice's myocardium.", "percent"),
    *_n_sd(""),
    *_half_maximum(""),
    column("transmurality", NUMBER, f"{_TRANSMURALITY}; null without scar.", "percent"),
    *_KIM,
    column("endocardial_extent_percent", NUMBER, _ENDOCARDIAL, "percent"),
    column("wall_thickness_mm", NUMBER, _WALL, "mm"),
    *_SHAPE,
    column("remote_slice", COUNT, "Slice of the remote myocardium used: another slice where this one has too little."),
    column("remote_pixels", COUNT, "Size of that remote region."),
    column(
        "remote_angle_deg",
        NUMBER,
        "Its middle, from the anterior RV insertion through the septum; null all round.",
        "deg",
    ),
    column("remote_mean", NUMBER, "Its mean signal, in the image's own units."),
    column("remote_sd", NUMBER, "Standard deviation of its signal."),
    column("remote_peak", NUMBER, "Its greatest signal; the border zone begins above it."),
    column("scar_peak", NUMBER, "The scar's greatest signal (maximum of 3 x 3 means), MVO left out."),
    column("half_threshold", NUMBER, "Signal above which FWHM and core lie."),
]

_SEGMENTS: Final = [
    _study_id(),
    column("segment", COUNT, "Segment of the AHA model, 1-17.", required=True),
    column("myocardium_ml", NUMBER, "Volume of the segment's myocardium.", "ml"),
    column("myocardium_g", NUMBER, "Mass of the segment's myocardium.", "g"),
    column("scar_ml", NUMBER, "Volume of the segment's scar, MVO included.", "ml"),
    column("scar_g", NUMBER, "Mass of the segment's scar, MVO included.", "g"),
    column("scar_percent", NUMBER, "Scar, MVO included, of the segment's myocardium.", "percent"),
    column("mvo_ml", NUMBER, "Volume of the segment's microvascular obstruction.", "ml"),
    column("mvo_percent", NUMBER, "Microvascular obstruction of the segment's myocardium.", "percent"),
    *_n_sd(""),
    *_half_maximum(""),
    column("transmurality", NUMBER, f"{_TRANSMURALITY}; 0 without scar, null without chords (segment 17).", "percent"),
    *_KIM,
    column("endocardial_extent_percent", NUMBER, _ENDOCARDIAL, "percent"),
    column("wall_thickness_mm", NUMBER, _WALL, "mm"),
    *_SHAPE,
]

_SERIES: Final = [
    _study_id(),
    column(
        "series_instance_uid",
        TEXT,
        "DICOM SeriesInstanceUID, with --deidentify a new one; null where the input was NIfTI.",
    ),
    column("description", TEXT, "DICOM SeriesDescription, with --deidentify known words of it."),
    column("chosen", pa.bool_(), "Whether this series was measured.", required=True),
    column("reason", TEXT, "Why it was or was not chosen."),
]

_FAILURES: Final = [
    _study_id(),
    column(
        "stage", TEXT, "Stage at which the study ended: index, fetch, convert, crop, segment, quantify.", required=True
    ),
    column("code", TEXT, "Reason as a short word for programs.", required=True),
    column("message", TEXT, "Reason for people, and what to do.", required=True),
    *_labels(),
]

_EXPORTS: Final = [
    _study_id(),
    column("segmentation_uid", TEXT, "SOPInstanceUID of the study's DICOM Segmentation, seg.dcm; null without one."),
    column("report_uid", TEXT, "SOPInstanceUID of its Structured Report, report.dcm; null without one."),
    column("code", TEXT, "Why there are none, as a short word for programs; null where they were written."),
    column("message", TEXT, "The reason for people, and what to do."),
]

_STUDIES: Final = [
    _study_id(),
    column("study_digest", TEXT, "Digest of the study's files; a change redoes its batch."),
    column("batch", TEXT, "Batch that the study travels in; null when it failed before."),
    *_labels(),
]

_UNREAD: Final = [
    column(
        "place",
        TEXT,
        "Key of the folder or archive (of the file itself at the input's root, of an archive that is not read, and for "
        "crashed, stuck, no_memory and io_error): a hash of its path.",
        required=True,
    ),
    column("kind", TEXT, "What was not read: 'folder', or 'file' for files and links in the folder.", required=True),
    column(
        "reason",
        TEXT,
        "vanished, unreadable, dead_link, crashed, stuck, no_memory, io_error, link_loop, walked_before, no_file, "
        "bad_archive, encrypted_archive, archive_too_large, archive_too_deep, nested_archive, unknown_archive, nifti, "
        "system_folder or own_output, see `message`.",
        required=True,
    ),
    column("count", COUNT, "How many.", required=True),
    column("message", TEXT, "The reason for people, and what to do.", required=True),
]

_MODEL: Final = column("model", TEXT, "Name of the model, or of whatever labelled the cases.", required=True)
_REGION: Final = column(
    "region", TEXT, "Scored region: blood_pool, myocardium (scar with it), scar (MVO with it), mvo.", required=True
)
_ALL: Final = "over all cases"

_BENCHMARK: Final = [
    _MODEL,
    column("case_id", TEXT, "The case.", required=True),
    _REGION,
    column("fold", COUNT, "Fold that held the case out, from 0.", required=True),
    column("has_scar", pa.bool_(), "Whether the expert drew scar or MVO in this case.", required=True),
    column("dice", NUMBER, "Overlap over the whole stack, 0-1; two empty regions: 1.", required=True),
    column("hd95_mm", NUMBER, "95th percentile of the distances between the surfaces; null if one is empty.", "mm"),
    column("hausdorff_mm", NUMBER, "Greatest distance between the surfaces; null if one is empty.", "mm"),
    column("volume_ml", NUMBER, "Volume of the model's region.", "ml", required=True),
    column("reference_volume_ml", NUMBER, "Volume of the expert's region.", "ml", required=True),
    column("scar_share", NUMBER, "Decision: part of the myocardium's probability above which a voxel is scar."),
    column("least_expected_scar_percent", NUMBER, "Decision: a study that lets expect less scar has none.", "percent"),
    column("least_expected_mvo_percent", NUMBER, "Decision: a study that lets expect less MVO has none.", "percent"),
    column("crop_holds_percent", NUMBER, "Expert's myocardium inside the crop; null without a crop.", "percent"),
]

_BENCHMARK_SUMMARY: Final = [
    _MODEL,
    _REGION,
    column("cases", COUNT, "Number of cases.", required=True),
    column("cases_with_scar", COUNT, "Number of cases with scar or MVO drawn by the expert.", required=True),
    column("dice_mean", NUMBER, f"Mean Dice {_ALL}.", required=True),
    column("dice_median", NUMBER, f"Median Dice {_ALL}.", required=True),
    column("dice_lower_quartile", NUMBER, f"Lower quartile of Dice {_ALL}.", required=True),
    column("dice_upper_quartile", NUMBER, f"Upper quartile of Dice {_ALL}.", required=True),
    column("dice_with_scar", NUMBER, "Mean Dice over the cases with scar; null without any."),
    column("dice_without_scar", NUMBER, "Mean Dice over the cases without scar; null without any."),
    column("hd95_median_mm", NUMBER, "Median of the 95th percentile distance where it is defined.", "mm"),
    column("hd95_cases", COUNT, "Number of cases where that is defined.", required=True),
    column("bias_ml", NUMBER, f"Mean of the model's volume minus the expert's, {_ALL}.", "ml", required=True),
    column("lower_limit_ml", NUMBER, "Lower 95 % limit of agreement: bias - 1.96 SD of the differences.", "ml"),
    column("upper_limit_ml", NUMBER, "Upper 95 % limit of agreement.", "ml"),
    column("bias_percent", NUMBER, "The bias, of the expert's mean volume.", "percent"),
    column("cov_percent", NUMBER, "SD of the differences, of the expert's mean volume.", "percent"),
    column("icc", NUMBER, "Intraclass correlation ICC(2,1) of both volumes: absolute agreement, single readings."),
]

_BENCHMARK_COST: Final = [
    _MODEL,
    column("model_sha256", TEXT, "SHA-256 of the weights that were timed, those of the first fold."),
    column("parameters", pa.int64(), "Number of trained values.", required=True),
    column(
        "gflop_per_slice", NUMBER, "Billions of operations for one slice; a multiplication and an addition are two."
    ),
    column("slices_per_second", NUMBER, "Speed of the network alone, one slice at a time."),
    column("slices_per_second_best", NUMBER, "Speed at the batch size that was fastest."),
    column("best_batch", COUNT, "That batch size, in slices."),
    column("device", TEXT, "What it was timed on."),
    column("threads", COUNT, "CPU threads that the network had."),
]

TABLES: Final[dict[str, pa.Schema]] = {
    "scans": pa.schema(_SCANS),
    "slices": pa.schema(_SLICES),
    "segments": pa.schema(_SEGMENTS),
    "series": pa.schema(_SERIES),
    "failures": pa.schema(_FAILURES),
    "exports": pa.schema(_EXPORTS),
    "studies": pa.schema(_STUDIES),
    "unread": pa.schema(_UNREAD),
    "benchmark": pa.schema(_BENCHMARK),
    "benchmark_summary": pa.schema(_BENCHMARK_SUMMARY),
    "benchmark_cost": pa.schema(_BENCHMARK_COST),
}

# Rows are sorted by these columns, then by every other one, so that equal content gives equal files.
SORT_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "scans": ("study_id",),
    "slices": ("study_id", "slice"),
    "segments": ("study_id", "segment"),
    "series": ("study_id", "series_instance_uid"),
    "failures": ("study_id", "stage", "code"),
    "exports": ("study_id",),
    "studies": ("study_id",),
    "unread": ("place", "kind", "reason"),
    "benchmark": ("model", "case_id", "region"),
    "benchmark_summary": ("model", "region"),
    "benchmark_cost": ("model",),
}
