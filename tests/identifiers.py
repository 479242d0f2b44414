"""What becomes of a small cohort whose identifiers an anonymiser made constant, empty, absent or new in every file.

Two patients, each with late enhancement, T2 at the same positions, a cine and a localiser. The truth is known: each
patient's own pixels come out, or there is a refusal; nobody is lost, and nothing of one is in the other's volume.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from dicom_cases.edits import rename
from dicom_series import make_series, place, save, stored_pixels
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.errors import ScarnetError
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.stage.folder import study_folder

PAGE: Final = Path(__file__).parents[1] / "docs" / "dicom.md"
BEGIN: Final = "<!-- identifiers: made by tools/document.py identifiers -->"
END: Final = "<!-- end of identifiers -->"
PATIENTS: Final = ("A", "B")
SLICES: Final = 5
KINDS: Final = ("constant", "empty", "removed", "new in every file")
_TIMES: Final = ("AcquisitionDate", "AcquisitionTime", "StudyDate", "StudyTime")
_NAMES: Final = ("SeriesDescription",)
_PERSON: Final = ("PatientID", "PatientName", "PatientBirthDate")
ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "StudyInstanceUID": ("StudyInstanceUID",),
    "SeriesInstanceUID": ("SeriesInstanceUID",),
    "FrameOfReferenceUID": ("FrameOfReferenceUID",),
    "SOPInstanceUID": ("SOPInstanceUID",),
    "SeriesNumber": ("SeriesNumber",),
    "InstanceNumber": ("InstanceNumber",),
    "dates and times": _TIMES,
    "SeriesDescription": _NAMES,
    "ImageType": ("ImageType",),
    "sequence, EchoTime, InversionTime": ("ScanningSequence", "SequenceName", "EchoTime", "InversionTime"),
    "PatientID, name, birth date": _PERSON,
}
_UIDS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID")
# Several at once: attributes with what became of each, and whether all files lie in one folder.
TOGETHER: Final[dict[str, tuple[dict[tuple[str, ...], str], bool]]] = {
    "one StudyInstanceUID, all in one folder": ({("StudyInstanceUID",): "constant"}, True),
    "no StudyInstanceUID, all in one folder": ({("StudyInstanceUID",): "removed"}, True),
    "StudyInstanceUID new in every file, all in one folder": ({("StudyInstanceUID",): "new in every file"}, True),
    "one StudyInstanceUID, no patient": ({("StudyInstanceUID",): "constant", _PERSON: "removed"}, False),
    "one StudyInstanceUID, one patient for all": ({("StudyInstanceUID",): "constant", _PERSON: "constant"}, False),
    "one StudyInstanceUID, a patient in every file": (
        {("StudyInstanceUID",): "constant", _PERSON: "new in every file"},
        False,
    ),
    "one StudyInstanceUID and SeriesInstanceUID": ({("StudyInstanceUID", "SeriesInstanceUID"): "constant"}, False),
    "all UIDs constant": ({_UIDS: "constant"}, False),
    "all UIDs new in every file": ({_UIDS: "new in every file"}, False),
    "no SeriesInstanceUID, SeriesNumber, times": ({("SeriesInstanceUID", "SeriesNumber", *_TIMES): "removed"}, False),
    "no SeriesInstanceUID, SeriesDescription": ({("SeriesInstanceUID", *_NAMES): "removed"}, False),
    "no SeriesInstanceUID, SeriesDescription, SeriesNumber, times": (
        {("SeriesInstanceUID", *_NAMES, "SeriesNumber", *_TIMES): "removed"},
        False,
    ),
    "one SeriesInstanceUID and SOPInstanceUID, no times": (
        {("SeriesInstanceUID", "SOPInstanceUID"): "constant", _TIMES: "removed"},
        False,
    ),
}
_CONSTANTS: Final = {
    **dict.fromkeys(_UIDS, "1.2.3.4"),
    "SeriesNumber": 1,
    "InstanceNumber": 1,
    "AcquisitionDate": "20000101",
    "AcquisitionTime": "000000",
    "StudyDate": "20000101",
    "StudyTime": "000000",
    "SeriesDescription": "MR",
    "ImageType": ["ORIGINAL", "PRIMARY"],
    "ScanningSequence": "GR",
    "SequenceName": "x",
    "EchoTime": 1,
    "InversionTime": 300,
    "PatientID": "ANON",
    "PatientName": "ANON",
    "PatientBirthDate": "19000101",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the cohort.

    Attributes:
        measured: Whose pixels each volume holds: "A", "B" or "WRONG".
        failures: Codes.
        flags: Codes, of all volumes.
    """

    measured: tuple[str, ...]
    failures: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def words(self) -> str:
        """For a cell of a table."""
        told = f" ({', '.join(f'`{flag}`' for flag in self.flags)})" if self.flags else ""
        if self.failures:
            refused = f"refused: {', '.join(f'`{code}`' for code in sorted(set(self.failures)))}"
            return f"{' and '.join(self.measured)} right{told}, {refused}" if self.measured else refused
        return f"right{told}"


def patient(which: str) -> list[Dataset]:
    """Return the images of one patient."""
    n = PATIENTS.index(which)
    study, uid = f"1.2.840.99.7.{n}", f"1.2.840.99.8.{n}"

    def series(number: int, name: str, count: int, image_type: Sequence[str], **more: object) -> list[Dataset]:
        found = make_series(
            count, name=name, series=f"{uid}.{number}", study=study, image_type=image_type, seed=10 * n + number
        )
        for i, dataset in enumerate(found):
            dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = f"ID{which}", f"{which}^X", f"19{n}00101"
            dataset.SeriesNumber, dataset.AcquisitionTime = number, f"10{10 * number + n}{i:02d}"
            for keyword, value in more.items():
                setattr(dataset, keyword, value)
        return found

    gradient = {"ScanningSequence": ["GR", "IR"], "SequenceName": "*tfl2d1_25", "EchoTime": 1.5, "InversionTime": 300}
    spin = {"ScanningSequence": ["SE", "IR"], "SequenceName": "*tse2d1_15", "EchoTime": 65, "InversionTime": 170}
    steady = {"ScanningSequence": ["GR"], "SequenceName": "*tfi2d1_12", "EchoTime": 1.2}
    images = series(4, "LGE_SAX_PSIR", SLICES, ("ORIGINAL", "PRIMARY", "PSIR"), **gradient)
    images += series(5, "T2_STIR_SAX", SLICES - 1, ("ORIGINAL", "PRIMARY", "M"), **spin)
    for phase in range(5):
        pictures = series(2, "cine_sax", 2, ("ORIGINAL", "PRIMARY", "M"), **steady, TriggerTime=40 * phase)
        for i, dataset in enumerate(pictures):
            rename(dataset, f"{uid}.2.{phase}.{i}")
            dataset.InstanceNumber = 5 * i + phase + 1
        images += pictures
    localiser = series(1, "localizer", 3, ("ORIGINAL", "PRIMARY", "M"), **steady)
    for i, dataset in enumerate(localiser):
        place(dataset, 40.0, turn_deg=60.0 * i + 30)
    return [*images, *localiser]


def change(datasets: Sequence[Dataset], keywords: Sequence[str], kind: str) -> None:
    """Make attributes of all images constant, empty, absent or new in every file."""
    for number, dataset in enumerate(datasets):
        for keyword in keywords:
            if kind == "removed":
                dataset.pop(keyword, None)
            else:
                setattr(
                    dataset, keyword, {"constant": _CONSTANTS[keyword], "empty": None}.get(kind, _new(keyword, number))
                )


def _new(keyword: str, number: int) -> object:
    if keyword.endswith("UID"):
        return generate_uid(entropy_srcs=[keyword, str(number)])
    if keyword == "ImageType":
        return ["ORIGINAL", "PRIMARY", f"X{number}"]
    if keyword.endswith("Date"):
        return f"{1900 + number}0101"
    if keyword.endswith("Time") and keyword not in ("EchoTime", "InversionTime"):
        return f"{number // 60:02d}{number % 60:02d}00"
    if keyword in ("SeriesNumber", "InstanceNumber", "EchoTime", "InversionTime"):
        return 1000 - 7 * number if keyword.endswith("Number") else 1 + 40 * number
    return f"N{number * 7919 % 1009}"


def outcome(changes: dict[tuple[str, ...], str], *, one_folder: bool = False) -> Outcome:
    """Write the cohort with some attributes changed, index and convert it, and say whose pixels came out."""
    images = {which: patient(which) for which in PATIENTS}
    for keywords, kind in changes.items():
        change([dataset for which in PATIENTS for dataset in images[which]], keywords, kind)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for which in PATIENTS:
            names = f"{which}{{:03d}}.dcm".format
            save(images[which], folder / "in" / ("all" if one_folder else which), names)
        return _judged(folder)


def _judged(folder: Path) -> Outcome:
    measured, failures, flags = [], [], set[str]()
    for study in index_input(folder / "in", None, IndexOptions()).studies:
        if study.entry is None:
            failures.append(study.failure.code if study.failure else "?")
            continue
        try:
            convert_study(study.entry, folder / "in", study_folder(folder / "out", study.study_id))
        except ScarnetError as error:
            failures.append(error.code)
            continue
        values = read_nifti(folder / "out" / "studies" / study.study_id / "image.nii.gz").array
        measured.append(_whose(values))
        flags.update(study.entry.flags)
    return Outcome(tuple(sorted(measured)), tuple(failures), tuple(sorted(flags)))


def _whose(values: NDArray[np.float32]) -> str:
    for n, which in enumerate(PATIENTS):
        if np.array_equal(values, stored_pixels(SLICES, 10 * n + 4)):
            return which
    return "WRONG"


def parts() -> dict[str, str]:
    """Return what becomes of the cohort in every case, in Markdown."""
    lines = [f"| | {' | '.join(KINDS)} |", "|---" * (1 + len(KINDS)) + "|"]
    for name, keywords in ATTRIBUTES.items():
        cells = [outcome({keywords: kind}).words for kind in KINDS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| several at once | |", "|---|---|"]
    lines += [f"| {name} | {outcome(what, one_folder=one).words} |" for name, (what, one) in TOGETHER.items()]
    return {"identifiers": "\n".join(lines) + "\n"}
