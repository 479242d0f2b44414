"""Write volumes as a DICOM study by a habit (habits.py). Equal arguments give equal bytes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import MRImageStorage
from pydicom.valuerep import format_number_as_ds

from scarnet_cli.dicom.datasets import file_bytes
from scarnet_cli.dicom.identity import make_uid, study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.files import write_bytes
from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.dicom.distractors import distractor_volumes
from scarnet_cli.phantom.dicom.habits import MANUFACTURERS, Habit, Role, image_type, series_description
from scarnet_cli.phantom.dicom.stored import StoredValues, as_stored, encoding_for, new_file, set_pixels

_FIRST_DAY: Final = date(2015, 1, 1)
_DAYS: Final = 3000
_START_S: Final = 9 * 3600
_BREATH_HOLD_S: Final = 14.0


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A study to write.

    Attributes:
        key: Text from which UIDs, date and file names are made; studies with the same key have the same UIDs.
        habit: How to write it.
        image: The short-axis stack.
        component: Its contrast, "psir" or "magnitude".
        twin: The same slices in the other contrast; written if the habit says so.
        thickness_mm: SliceThickness; less than the slice spacing if the stack has gaps.
        patient: A made-up patient's name and number, "PHANTOM^0007".
    """

    key: str
    habit: Habit
    image: Volume
    component: Role
    twin: Volume | None = None
    thickness_mm: float | None = None
    patient: str = "PHANTOM^0000"


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """A study that was written.

    Attributes:
        study_id: First 16 hex digits of the StudyInstanceUID's SHA-256.
        study_instance_uid: StudyInstanceUID.
        stack_files: Files of the short-axis stack, in the order of its slices.
    """

    study_id: str
    study_instance_uid: str
    stack_files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Picture:
    """One slice to write as a file."""

    role: Role
    volume: Volume
    stored: StoredValues
    slice_index: int
    step: int  # phase of a cine, time of a TI scout, plane of a localiser
    series: str  # text from which its SeriesInstanceUID is made
    series_number: int


def refuse_other_studies(folder: Path, expected: set[str]) -> None:
    """Refuse a directory that holds folders other than `expected`: the table would not list their studies.

    Raises:
        InputError: The directory holds such folders.
    """
    others = {path.name for path in folder.iterdir()} - expected if folder.is_dir() else set()
    if others:
        message = f"The output's folder dicom already holds {len(others)} other studies; choose an empty directory."
        raise InputError("output_not_empty", message)


def write_study(plan: StudyPlan, out: Path) -> WrittenStudy:
    """Write the study's files into the directory `out`.

    Whole numbers that fit 16 bits are kept exactly, others to within half of the rescale slope (see `as_stored`).
    Positions and directions are kept to about 1e-10, as DICOM's decimal strings have 16 characters.
    """
    uid = make_uid(plan.key, "study")
    pictures = list(_pictures(plan))
    rng = np.random.default_rng(list(hashlib.sha256(plan.key.encode()).digest()))
    order = rng.permutation(len(pictures)) if plan.habit.shuffled else np.arange(len(pictures))
    stack_files: list[Path] = []
    for number, picture in zip(order.tolist(), pictures, strict=True):
        path = out / _file_name(plan, picture, number)
        write_bytes(path, file_bytes(_dataset(plan, uid, picture, number)))
        if picture.role == plan.component:
            stack_files.append(path)
    return WrittenStudy(study_id_from_uid(uid), uid, tuple(stack_files))


def _pictures(plan: StudyPlan) -> Iterator[_Picture]:
    """Yield the slices of every series, series by series."""
    number = 1
    for role in plan.habit.distractors:
        for step, volume in enumerate(distractor_volumes(role, plan.image)):
            stored = as_stored(np.maximum(volume.array, 0))
            for z in range(len(volume.array)):
                yield _Picture(role, volume, stored, z, step, role, number)
        number += 1
    other: Role = "magnitude" if plan.component == "psir" else "psir"
    stacks: list[tuple[Role, Volume | None]] = [(other, plan.twin), (plan.component, plan.image)]
    for role, volume in stacks:
        if volume is None or (role == other and plan.habit.twin == "none"):
            continue
        stored = as_stored(volume.array)
        name = "mixed" if plan.habit.twin == "mixed" else role
        for z in range(len(volume.array)):
            series = f"{name}/{z}" if plan.habit.series_per_slice else name
            yield _Picture(role, volume, stored, z, 0, series, number + (z if plan.habit.series_per_slice else 0))
        number += 0 if name == "mixed" else len(volume.array) if plan.habit.series_per_slice else 1


def _file_name(plan: StudyPlan, picture: _Picture, number: int) -> str:
    """Return a path in the vendor's manner; in a shuffled study, a hash."""
    if plan.habit.shuffled:
        return hashlib.sha256(f"{plan.key}/{number}".encode()).hexdigest()[:12]
    if plan.habit.vendor == "siemens":
        return f"series_{picture.series_number:04d}/IM-{picture.series_number:04d}-{number + 1:04d}.dcm"
    if plan.habit.vendor == "ge":
        return f"s{picture.series_number:03d}/i{number + 1:05d}.MRDCM"
    return f"DICOM/IM_{number + 1:04d}"


def _dataset(plan: StudyPlan, uid: str, picture: _Picture, number: int) -> FileDataset:
    """Return the data set of one slice."""
    pixels = picture.stored.pixels[picture.slice_index]
    encoding = encoding_for(pixels.shape, plan.habit.encoding)
    instance = make_uid(plan.key, picture.role, picture.step, picture.slice_index)
    dataset = new_file(MRImageStorage, instance, encoding, make_uid("implementation"))
    dataset.StudyInstanceUID = uid
    dataset.SeriesInstanceUID = make_uid(plan.key, "series", picture.series)
    dataset.FrameOfReferenceUID = make_uid(plan.key, "frame of reference")
    dataset.SeriesNumber, dataset.InstanceNumber = picture.series_number, number + 1
    _set_patient_and_study(dataset, plan)
    _set_series(dataset, plan.habit, picture)
    _set_times(dataset, plan, picture)
    _set_geometry(dataset, plan, picture)
    stored = picture.stored
    if plan.habit.vendor == "philips" or stored.slope != 1:
        dataset.RescaleSlope, dataset.RescaleIntercept = _ds(stored.slope), _ds(stored.intercept)
        dataset.RescaleType = "normalized"
    dataset.WindowCenter, dataset.WindowWidth = _window(stored, picture.slice_index)
    set_pixels(dataset, pixels, stored.bits, encoding)
    return dataset


def _set_patient_and_study(dataset: Dataset, plan: StudyPlan) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName, dataset.PatientID = plan.patient, plan.patient.replace("^", "")
    dataset.PatientBirthDate, dataset.PatientSex = "19500101", "O"
    dataset.PatientPosition, dataset.AccessionNumber, dataset.StudyID = "HFS", "", "1"
    dataset.ReferringPhysicianName = ""
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = _study_day(plan.key)
    dataset.StudyTime, dataset.StudyDescription, dataset.Modality = _clock(0), "Cardiac MRI", "MR"
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURERS[plan.habit.vendor]
    dataset.MagneticFieldStrength, dataset.BodyPartExamined = "1.5", "HEART"


def _set_series(dataset: Dataset, habit: Habit, picture: _Picture) -> None:
    role, lge = picture.role, picture.role in ("psir", "magnitude", "long_axis")
    dataset.SeriesDescription = dataset.ProtocolName = series_description(habit, role)
    dataset.ImageType = image_type(habit, role)
    inversion = lge or role == "ti_scout"
    dataset.ScanningSequence, dataset.SequenceVariant = (["GR", "IR"], ["SK", "MP"]) if inversion else ("GR", "SP")
    dataset.ScanOptions, dataset.MRAcquisitionType = "", "2D"
    dataset.RepetitionTime, dataset.EchoTime, dataset.FlipAngle = "700", "3.2" if lge else "1.4", "25"
    if inversion and habit.inversion_time != "absent":
        given = str(290 + 5 * picture.slice_index % 20) if lge else str(120 + 40 * picture.step)
        dataset.InversionTime = given if habit.inversion_time == "given" else "0"
    if lge and habit.contrast_agent:
        dataset.ContrastBolusAgent = "Gadolinium"


def _set_times(dataset: Dataset, plan: StudyPlan, picture: _Picture) -> None:
    """Set times: one breath-hold per slice, 14 s apart from the series' start; trigger times vary a little."""
    series_start = 120.0 * picture.series_number
    dataset.SeriesTime = _clock(series_start)
    dataset.AcquisitionTime = dataset.ContentTime = _clock(series_start + _BREATH_HOLD_S * picture.slice_index)
    if picture.role == "cine":
        dataset.TriggerTime = str(300 * picture.step)
    elif plan.habit.vendor != "ge":
        dataset.TriggerTime = str(600 + 3 * picture.slice_index)


def _set_geometry(dataset: Dataset, plan: StudyPlan, picture: _Picture) -> None:
    """Set the slice's geometry: position of its first pixel's centre, directions, spacing, thickness and location."""
    volume = picture.volume
    dz, dy, dx = volume.spacing_zyx_mm
    position = volume.world(np.array([picture.slice_index, 0, 0]))
    dataset.ImagePositionPatient = [_ds(v) for v in position]
    dataset.ImageOrientationPatient = [_ds(v) for v in (*volume.direction[:, 0], *volume.direction[:, 1])]
    dataset.PixelSpacing = [_ds(dy), _ds(dx)]
    stack = picture.role in ("psir", "magnitude") and plan.thickness_mm is not None
    dataset.SliceThickness = _ds(plan.thickness_mm if stack and plan.thickness_mm is not None else 0.8 * dz)
    dataset.SpacingBetweenSlices = _ds(dz)
    normal = np.cross(volume.direction[:, 0], volume.direction[:, 1])
    dataset.SliceLocation = _ds(round(float(position @ normal), 4))


def _ds(value: float) -> str:
    """Return a number as DICOM's decimal string of at most 16 characters; rounding errors near 0 become 0."""
    return format_number_as_ds(0.0 if abs(value) < 1e-12 else float(value))  # noqa: PLR2004 (rounding errors)


def _window(stored: StoredValues, slice_index: int) -> tuple[str, str]:
    low, high = np.percentile(stored.pixels[slice_index, ::4, ::4], (1, 99)) * stored.slope + stored.intercept
    return str(round((low + high) / 2)), str(max(1, round(high - low)))


def _study_day(key: str) -> str:
    day = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _DAYS
    return (_FIRST_DAY + timedelta(days=day)).strftime("%Y%m%d")


def _clock(seconds: float) -> str:
    whole = int(_START_S + seconds)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{int(seconds % 1 * 1000):03d}000"
