"""The record that CONVERT writes to study.json: what is known of a study before segmentation. QUANTIFY adds to it."""

from dataclasses import dataclass

from scarnet_cli.dicom.notes import AppliedRule
from scarnet_cli.stage.records import Geometry


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """The content of study.json.

    Attributes:
        study_id: The study's id.
        study_instance_uid: Its StudyInstanceUID; None if it is unknown or the study is NIfTI.
        manufacturer: Manufacturer of the scanner.
        slices: Number of slices.
        spacing_mm: Distance between rows.
        slice_spacing_mm: Distance between slice centres.
        geometry: The grid.
        component: Component of the values: "psir", "magnitude", "other" or None.
        rules: Rules that were applied in choosing and reading the images.
        flags: Codes that a reader of the result should know, sorted.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm; None if the samplesheet gives none.
        deidentified: Whether all identifiers here are pseudonyms.
        pipeline_version: Version of the pipeline that wrote it.
    """

    study_id: str
    study_instance_uid: str | None
    manufacturer: str | None
    slices: int
    spacing_mm: float
    slice_spacing_mm: float
    geometry: Geometry
    component: str | None
    rules: tuple[AppliedRule, ...]
    flags: tuple[str, ...]
    rv_insertion: tuple[float, float, float] | None
    deidentified: bool
    pipeline_version: str
