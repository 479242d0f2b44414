"""What the index keeps of a DICOM frame: enough to group, select and order frames, and nothing about the patient."""

from typing import Final, NamedTuple

# Component of a frame's values. Other components, phase and imaginary, do not show enhancement.
PSIR: Final = "psir"
MAGNITUDE: Final = "magnitude"
OTHER_COMPONENT: Final = "other"


class FoundFile(NamedTuple):
    """One file of the input, or one member of an archive.

    Attributes:
        path: Path relative to the input's root, with forward slashes; absolute if the file lies outside it.
        member: Number in the archive at `path` (see archives.py); None for a plain file.
        size: Bytes; for a member, those of the archive.
        mtime_ns: Time of the last change, in ns since 1970; for a member, that of the archive.
    """

    path: str
    member: int | None
    size: int
    mtime_ns: int


class Witnesses(NamedTuple):
    """The patient and scanner that a file states, as raw bytes: used to compare files and never kept.

    All fields from `sex` on come from original images only: a workstation writes its own values.

    Attributes:
        patient_id: PatientID.
        patient_name: PatientName.
        birth_date: PatientBirthDate.
        sex: PatientSex.
        study_day: StudyDate.
        maker: First word of Manufacturer.
        model: ManufacturerModelName.
        scanner: DeviceSerialNumber.
    """

    patient_id: bytes = b""
    patient_name: bytes = b""
    birth_date: bytes = b""
    sex: bytes = b""
    study_day: bytes = b""
    maker: bytes = b""
    model: bytes = b""
    scanner: bytes = b""


NO_WITNESSES: Final = Witnesses()


class FrameFacts(NamedTuple):
    """The header of one frame; a classic image has a single frame.

    Attributes:
        study_uid: StudyInstanceUID; empty if there is none.
        series_uid: SeriesInstanceUID.
        sop_uid: SOPInstanceUID.
        frame: Index of the frame in a multi-frame object, from 0; None in a classic image.
        modality: Modality; only "MR" is measured.
        manufacturer: Manufacturer.
        description: SeriesDescription.
        protocol: ProtocolName.
        series_number: SeriesNumber.
        instance_number: InstanceNumber, or the frame's index; used only to break ties.
        image_type: ImageType or FrameType, values joined by a backslash.
        sequence: ScanningSequence, SequenceVariant, SequenceName and PulseSequenceName, joined by spaces.
        complex_component: ComplexImageComponent.
        slope: RescaleSlope, 1 if there is none.
        intercept: RescaleIntercept, 0 if there is none.
        inversion_ms: InversionTime.
        echo_ms: EchoTime.
        acquired_s: Seconds from midnight of the study's day to the acquisition; orders repeats and reveals no date.
        frame_of_reference: FrameOfReferenceUID.
        rows: Number of rows.
        columns: Number of columns.
        samples: SamplesPerPixel.
        spacing_yx_mm: PixelSpacing: distance between rows, between columns.
        position_xyz_mm: ImagePositionPatient, LPS.
        orientation: ImageOrientationPatient: direction of a row (x), then of a column (y).
        stack_id: StackID of a frame; None in a classic image.
    """

    study_uid: str
    series_uid: str | None
    sop_uid: str | None
    frame: int | None
    modality: str | None
    manufacturer: str | None
    description: str | None
    protocol: str | None
    series_number: int | None
    instance_number: int | None
    image_type: str | None
    sequence: str | None
    complex_component: str | None
    slope: float
    intercept: float
    inversion_ms: float | None
    echo_ms: float | None
    acquired_s: float | None
    frame_of_reference: str | None
    rows: int | None
    columns: int | None
    samples: int | None
    spacing_yx_mm: tuple[float, ...] | None
    position_xyz_mm: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    stack_id: str | None = None


class Frame(NamedTuple):
    """A frame and the file that holds it."""

    file: FoundFile
    facts: FrameFacts


def folder_of(file: FoundFile) -> str:
    """Return the folder that a file lies in, "." for the root; for a member, the path of the archive."""
    return file.path if file.member is not None else file.path.rpartition("/")[0] or "."


def parent_of(folder: str) -> str:
    """Return the folder that a folder lies in, "." for the root."""
    return folder.rpartition("/")[0] or "."
