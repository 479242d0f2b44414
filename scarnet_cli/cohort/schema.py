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
        unit: "mm", "ml", "g", "percent" (0-100), "fraction" (0-1) or empty.
        required: A null here is an error.
    """
    return pa.field(name, kind, nullable=not required, metadata={"unit": unit, "meaning": meaning})


def _study_id() -> pa.Field:
    meaning = "Samplesheet name, else the first 16 hex digits of SHA-256 of StudyInstanceUID."
    return column("study_id", TEXT, meaning, required=True)


_N_SD: Final = [
    column(
        f"scar_{n}sd_percent_lv",
        NUMBER,
        f"Part of the myocardium brighter than mean + {n} SD of remote myocardium; MVO counts as scar.",
        "percent",
    )
    for n in range(2, 7)
]

_SCANS: Final = [
    _study_id(),
    column("study_instance_uid", TEXT, "DICOM StudyInstanceUID; null where the input was NIfTI."),
    column("manufacturer", TEXT, "DICOM Manufacturer."),
    column("slices", COUNT, "Number of slices in the stack."),
    column("spacing_mm", NUMBER, "In-plane distance between pixel centres.", "mm"),
    column("slice_spacing_mm", NUMBER, "Distance between slice centres (not slice thickness).", "mm"),
    column("blood_pool_ml", NUMBER, "Volume of the left ventricle's blood pool.", "ml"),
    column("myocardium_ml", NUMBER, "Volume of the myocardium, scar and MVO included.", "ml"),
    column("myocardium_g", NUMBER, "Mass of the myocardium: volume x 1.05 g/ml.", "g"),
    column("scar_ml", NUMBER, "Volume of the segmented scar, MVO included.", "ml"),
    column("scar_g", NUMBER, "Mass of the segmented scar, MVO included.", "g"),
    column("scar_percent_lv", NUMBER, "Segmented scar, MVO included, of the myocardium's volume.", "percent"),
    column("mvo_ml", NUMBER, "Volume of microvascular obstruction.", "ml"),
    column("mvo_percent_lv", NUMBER, "Microvascular obstruction of the myocardium's volume.", "percent"),
    *_N_SD,
    column("scar_fwhm_percent_lv", NUMBER, "Part of the myocardium above half of the scar's maximum.", "percent"),
    column("core_percent_lv", NUMBER, "Scar core: at or above half of the scar's maximum.", "percent"),
    column("border_percent_lv", NUMBER, "Border zone: between remote myocardium's peak and the core.", "percent"),
    column("transmurality_mean", NUMBER, "Mean part of the wall that is scar, over chords that have scar.", "percent"),
    column("scar_components", COUNT, "Number of connected pieces of scar."),
    column("confidence", NUMBER, "The network's confidence in the label map.", "fraction"),
    column("flags", CODES, "What a reader should know of this study, as codes; empty when nothing."),
    column("model", TEXT, "Name of the segmentation model; null where the labels were given."),
    column("model_sha256", TEXT, "SHA-256 of the model's weights file; null where the labels were given."),
    column("pipeline_version", TEXT, "Version of the pipeline that made this row."),
]

_SLICES: Final = [
    _study_id(),
    column("slice", COUNT, "Index of the slice in image.nii.gz, from 0.", required=True),
    column("z_mm", NUMBER, "Distance of the slice's centre from that of slice 0.", "mm"),
    column("blood_pool_mm2", NUMBER, "Area of the blood pool.", "mm2"),
    column("myocardium_mm2", NUMBER, "Area of the myocardium, scar and MVO included.", "mm2"),
    column("scar_mm2", NUMBER, "Area of the scar, MVO included.", "mm2"),
    column("mvo_mm2", NUMBER, "Area of microvascular obstruction.", "mm2"),
    column("scar_percent", NUMBER, "Scar, MVO included, of the slice's myocardium.", "percent"),
    column("mvo_percent", NUMBER, "Microvascular obstruction of the slice's myocardium.", "percent"),
]

_SEGMENTS: Final = [
    _study_id(),
    column("segment", COUNT, "Segment of the AHA model, 1-17.", required=True),
    column("scar_percent", NUMBER, "Scar, MVO included, of the segment's myocardium.", "percent"),
    column("transmurality", NUMBER, "Mean part of the wall that is scar, over the segment's chords.", "percent"),
    column("myocardium_ml", NUMBER, "Volume of the segment's myocardium.", "ml"),
]

_SERIES: Final = [
    _study_id(),
    column("series_instance_uid", TEXT, "DICOM SeriesInstanceUID; null where the input was NIfTI."),
    column("description", TEXT, "DICOM SeriesDescription."),
    column("chosen", pa.bool_(), "Whether this series was measured.", required=True),
    column("reason", TEXT, "Why it was or was not chosen."),
]

_FAILURES: Final = [
    _study_id(),
    column("stage", TEXT, "Stage at which the study ended: index, convert, crop, segment, quantify.", required=True),
    column("code", TEXT, "Reason as a short word for programs.", required=True),
    column("message", TEXT, "Reason for people, and what to do.", required=True),
]

_STUDIES: Final = [
    _study_id(),
    column("study_digest", TEXT, "Digest of the study's files; a change redoes its batch."),
    column("batch", TEXT, "Batch that the study travels in; null when it failed before."),
]

TABLES: Final[dict[str, pa.Schema]] = {
    "scans": pa.schema(_SCANS),
    "slices": pa.schema(_SLICES),
    "segments": pa.schema(_SEGMENTS),
    "series": pa.schema(_SERIES),
    "failures": pa.schema(_FAILURES),
    "studies": pa.schema(_STUDIES),
}

# Rows are sorted by these columns, then by every other one, so that equal content gives equal files.
SORT_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "scans": ("study_id",),
    "slices": ("study_id", "slice"),
    "segments": ("study_id", "segment"),
    "series": ("study_id", "series_instance_uid"),
    "failures": ("study_id", "stage", "code"),
    "studies": ("study_id",),
}
