"""Read the headers of a label map's source images, which SEG and SR copy from and refer to."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.datasets import DAMAGE, read_dataset
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.geometry import REPEAT_TOLERANCE_MM
from scarnet_cli.dicom.headers import frame_facts, text
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.dicom.whole_files import Key, each_file, why_unreadable
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume

logger = logging.getLogger(__name__)

# Attributes of patient and study, by which a PACS files an object. These may be empty but not absent (type 2).
_TYPE_2: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_OPTIONAL: Final = (
    "IssuerOfPatientID",
    "PatientAge",
    "StudyDescription",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)
_REFERENCE: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_FRAMES: Final = (
    "NumberOfFrames",
    "Rows",
    "Columns",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_TAGS: Final[list[Any]] = ["SpecificCharacterSet", *_TYPE_2, *_OPTIONAL, *_REFERENCE, *_FRAMES]
_SEXES: Final = ("M", "F", "O")


@dataclass(frozen=True, slots=True)
class SourceSlice:
    """The source image of a volume's slice.

    Attributes:
        header: The image's data set without pixels; several slices may share it.
        frame: Index of the frame in it, from 0; None in a classic image.
        facts: The frame's facts.
    """

    header: Dataset
    frame: int | None
    facts: FrameFacts


def read_source_slices(root: Place, sources: Sequence[Source]) -> list[SourceSlice]:
    """Read the headers of a study's slices in the order of `sources`, each file once and an archive in one pass.

    Raises:
        DicomError: A file cannot be read any more or has changed, or its UIDs do not identify an image.
        MachineError: A file is gone or was changed since it was indexed, or the machine failed.
    """
    headers: dict[Key, Dataset] = {}
    try:
        for key, opened in each_file(root, sources):
            with opened() as stream:
                headers[key] = read_dataset(stream, tags=_TAGS)
    except DAMAGE as error:
        raise why_unreadable(error, "A file of the study") from error
    facts = {key: frame_facts(header) for key, header in headers.items()}
    _require_names(list(headers.values()))
    return [_slice(headers, facts, source) for source in sources]


def ambiguous(reason: str) -> DicomError:
    """Return the error for images that no reference can identify, with the reason as text."""
    message = (
        f"No segmentation or report can refer to the study's images: {reason}. Export the study again from its source, "
        "with the UIDs that it has there."
    )
    return DicomError("ambiguous_reference", message)


def _require_names(headers: Sequence[Dataset]) -> None:
    """Require each image to have its own SOPInstanceUID and a SeriesInstanceUID, and all to be of one study.

    Raises:
        DicomError: A reference would be ambiguous.
    """
    count = len(headers)
    names, studies = (len({text(h, word) for h in headers}) for word in ("SOPInstanceUID", "StudyInstanceUID"))
    reasons = {
        f"{count} of them have {names} SOPInstanceUIDs": names < count,
        f"they have {studies} StudyInstanceUIDs": studies > 1,
        "some have no SeriesInstanceUID": not all(text(header, "SeriesInstanceUID") for header in headers),
    }
    for reason, holds in reasons.items():
        if holds:
            raise ambiguous(reason)


def _slice(headers: dict[Key, Dataset], facts: dict[Key, tuple[FrameFacts, ...]], source: Source) -> SourceSlice:
    key, frame = (source.path, source.member), source.frame or 0
    if key not in headers or frame >= len(facts[key]):
        message = "A file of the study has fewer images than when the study was converted; run the pipeline again."
        raise DicomError("changed_file", message)
    if not all(text(headers[key], keyword) for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID")):
        message = (
            "An image of the study has no SOPInstanceUID to refer to it by; export the study again from its source."
        )
        raise DicomError("no_instance_uid", message)
    return SourceSlice(headers[key], source.frame, facts[key][frame])


def slices_of_grid(slices: Sequence[SourceSlice], grid: Volume) -> list[SourceSlice]:
    """Return the source of every slice of a volume, in the volume's order.

    Sources are matched by position, so their order does not matter, nor do extra ones.

    Raises:
        DicomError: A slice of the grid has no source, or its source has another size.
    """
    facts = [source.facts for source in slices]
    positions = np.array([f.position_xyz_mm or (np.inf,) * 3 for f in facts])
    found = []
    for z in range(grid.shape_zyx[0]):
        distances = np.linalg.norm(positions - grid.world(np.array([z, 0, 0])), axis=1)
        nearest = int(np.argmin(distances))
        same_size = (facts[nearest].rows, facts[nearest].columns) == grid.shape_zyx[1:]
        if not (distances[nearest] <= REPEAT_TOLERANCE_MM and same_size):
            message = (
                f"Slice {z + 1} of {grid.shape_zyx[0]} of the label map has no source image of its size at its place "
                f"(the nearest lies {distances[nearest]:.1f} mm away): the files have changed. Run the pipeline again."
            )
            raise DicomError("changed_file", message)
        found.append(slices[nearest])
    return found


def patient_and_study(header: Dataset) -> Dataset:
    """Return the attributes of patient and study by which a PACS files objects, including all of type 2.

    Text is kept, as Unicode without control characters. A date, time, age or sex that the standard does not allow is
    left empty or out, and logged without its value.
    """
    clean = Dataset()
    clean.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (*_TYPE_2, *_OPTIONAL):
        value = _allowed(header, keyword)
        if value is None and keyword in _TYPE_2:
            value = ""
        if value is not None:
            clean.add_new(keyword, dictionary_VR(keyword), value)
    return clean


def _allowed(header: Dataset, keyword: str) -> Any:  # noqa: ANN401 (text, a sequence or None)
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        return header.get(keyword)
    value = text(header, keyword)
    if value is None or vr in ("PN", "LO", "SH"):
        return value
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            DataElement(keyword, vr, value, validation_mode=config.RAISE)
        if keyword != "PatientSex" or value in _SEXES:
            return value
    except ValueError:
        pass
    logger.info("%s of the source is not what the standard allows: left empty", keyword)
    return None


def instances(slices: Sequence[SourceSlice]) -> Iterator[tuple[Dataset, list[int] | None]]:
    """Yield each image once, with the numbers from 1 of its frames among the slices; None for a classic image."""
    seen: dict[str, tuple[Dataset, list[int] | None]] = {}
    for source in slices:
        _, frames = seen.setdefault(
            str(source.header.SOPInstanceUID), (source.header, None if source.frame is None else [])
        )
        if frames is not None and source.frame is not None:
            frames.append(source.frame + 1)
    yield from seen.values()
