"""study.json as CONVERT writes it: what is known of a study before its heart is looked at. QUANTIFY adds to it."""

from dataclasses import dataclass

from scarnet_cli.dicom.notes import AppliedRule


@dataclass(frozen=True, slots=True)
class Geometry:
    """The image's grid in double precision, in LPS: a NIfTI header keeps seven digits.

    Attributes:
        origin_xyz_mm: Position of the centre of the first voxel.
        direction: (3, 3); columns are the unit vectors of the grid's x, y and z.
        spacing_zyx_mm: Distance between voxel centres.
    """

    origin_xyz_mm: tuple[float, float, float]
    direction: tuple[tuple[float, float, float], ...]
    spacing_zyx_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """study.json.

    Attributes:
        study_id: The study.
        study_instance_uid: Its StudyInstanceUID; None where it was given as NIfTI.
        manufacturer: Manufacturer of the scanner.
        slices: Number of slices.
        spacing_mm: Distance between rows.
        slice_spacing_mm: Distance between slice centres.
        geometry: The grid.
        component: What the values are: "psir", "magnitude", "other" or None.
        rules: Rules that were applied in choosing and reading the images.
        flags: Codes of what a reader of the result should know, sorted.
        rv_insertion: Anterior RV insertion, LPS x, y, z in mm, where the samplesheet gives it.
        deidentified: All identifiers here are pseudonyms.
        pipeline_version: Version that wrote it.
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
