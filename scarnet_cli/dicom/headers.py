"""Read the header of one file, only as much of it as the index needs."""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, TypeAlias

from scarnet_cli.dicom.bounds import FRAMES
from scarnet_cli.dicom.facts import NO_WITNESSES, FrameFacts, Witnesses
from scarnet_cli.dicom.identity import is_own_result
from scarnet_cli.dicom.walk import BLOCK, WANTED, walk
from scarnet_cli.faults import machine_fault

if TYPE_CHECKING:  # pydicom takes most of a second to import, and most files do not need it
    from pydicom.dataset import Dataset

# A data set, or the elements that `walk` returns.
Layer: TypeAlias = "Dataset | Mapping[str, Any]"

# Kinds of file.
IMAGE: Final = "image"
OBJECT: Final = "object"  # DICOM without pixels: a report, a presentation state, a DICOMDIR
BROKEN: Final = "broken"  # meant to be DICOM, but unreadable
JUNK: Final = "junk"  # not DICOM: text, a picture, a program
ARCHIVE: Final = "archive"
OWN_RESULT: Final = "own_result"  # written by this pipeline: not part of a study

DICOM_SUFFIXES: Final = (".dcm", ".dicom", ".ima")

_PREAMBLE: Final = 128
# First bytes of a file without preamble: group 0002 or 0008, little or big endian.
_BARE_STARTS: Final = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
_TEXT_LIMIT: Final = 200
_SECONDS_LIMIT: Final = 2 * 86400
_WHOLE_LIMIT: Final = 1 << 53  # beyond it a float is not an exact integer


class Header(NamedTuple):
    """What one file holds, as far as the index needs it.

    Attributes:
        kind: `IMAGE`, `OBJECT`, `BROKEN`, `JUNK` or `OWN_RESULT`; in an index, also why a file was not read.
        study_uid: StudyInstanceUID, if it could be read.
        frames: The frames of an image; empty for everything else.
        witnesses: The patient and scanner that an image states. They are compared during indexing and never cached.
    """

    kind: str
    study_uid: str | None = None
    frames: tuple[FrameFacts, ...] = ()
    witnesses: Witnesses = NO_WITNESSES


def read_header(stream: BinaryIO | io.FileIO, suffix: str) -> Header:
    """Read the header from an open file.

    Args:
        stream: Seekable binary stream at its start.
        suffix: The file's suffix; an unreadable file named .dcm is broken, not junk.

    Raises:
        Exception: The machine failed, not the file (see faults.py).
    """
    start = stream.read(BLOCK)
    if not may_be_dicom(start, suffix):
        return Header(JUNK)
    meant = _is_meant(start, suffix)
    elements = walk(stream, start)
    if elements is not None:
        return image_header(elements)
    stream.seek(0)
    if not isinstance(stream, io.RawIOBase):
        return read_by_pydicom(stream, meant=meant)
    buffered = io.BufferedReader(stream)
    try:
        return read_by_pydicom(buffered, meant=meant)
    finally:
        buffered.detach()  # otherwise it would close the stream


def may_be_dicom(start: bytes, suffix: str) -> bool:
    """Tell by a file's first bytes and suffix whether it may be DICOM."""
    return _is_meant(start, suffix) or start[:2] in _BARE_STARTS


def _is_meant(start: bytes, suffix: str) -> bool:
    return start[_PREAMBLE : _PREAMBLE + 4] == b"DICM" or suffix.lower() in DICOM_SUFFIXES


def read_by_pydicom(stream: BinaryIO, *, meant: bool) -> Header:
    """Read the header of a file that may be DICOM; an unreadable one is broken if it is `meant` as DICOM, else junk.

    Raises:
        Exception: The machine failed, not the file (see faults.py).
    """
    from scarnet_cli.dicom.datasets import DAMAGE, read_dataset  # noqa: PLC0415 (see TYPE_CHECKING above)

    try:
        return header_of(read_dataset(stream, tags=list(WANTED)), meant=meant)
    except DAMAGE as error:
        if machine_fault(error):
            raise
        return Header(BROKEN if meant else JUNK)


def header_of(dataset: "Dataset", *, meant: bool) -> Header:
    """Return a data set's header; an unrecognisable one is broken if it is `meant` as DICOM, else junk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd values and character sets
        return _header_of(dataset, meant=meant)


def _header_of(dataset: "Dataset", *, meant: bool) -> Header:
    if is_own_result(text(dataset, "Modality"), text(dataset, "Manufacturer")):
        return Header(OWN_RESULT)
    study_uid = text(dataset, "StudyInstanceUID")
    has_size = whole(dataset, "Rows") is not None and whole(dataset, "Columns") is not None
    if study_uid is None and not (has_size and text(dataset, "SOPClassUID")):
        # A DICOMDIR belongs to no study and nothing is lost; anything else without a study or pixels is damaged.
        harmless = text(dataset, "SOPClassUID") is not None and "Rows" not in dataset
        media = str(getattr(dataset, "file_meta", {}).get("MediaStorageSOPClassUID", "")) == "1.2.840.10008.1.3.10"
        return Header(OBJECT if media or (harmless and not meant) else BROKEN if meant else JUNK)
    if not has_size:
        cut = text(dataset, "Modality") in (None, "MR")
        return Header(BROKEN if cut else OBJECT, study_uid)
    return image_header(dataset)


def image_header(dataset: Layer) -> Header:
    """Return an image's header, from a data set or from the elements that `walk` returns."""
    frames = frame_facts(dataset)
    return Header(IMAGE, frames[0].study_uid or None, frames, _witnesses(dataset, frames[0]))


def _witnesses(dataset: Layer, facts: FrameFacts) -> Witnesses:
    """Return the patient and scanner that an image states; files that state the same share one object."""
    if isinstance(dataset, dict):
        written = tuple([dataset.get(keyword, b"") for keyword in _WRITTEN])
    else:
        from scarnet_cli.dicom.datasets import bounded_bytes  # noqa: PLC0415 (see TYPE_CHECKING above)

        written = tuple([bounded_bytes(dataset, keyword) for keyword in _WRITTEN])  # type: ignore[arg-type]  # as above
    original = facts.image_type is None or facts.image_type.startswith("ORIGINAL")
    return _shared(written, text(dataset, "StudyDate"), facts.manufacturer, original)


_WRITTEN: Final = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "ManufacturerModelName",
    "DeviceSerialNumber",
)


@lru_cache(maxsize=4096)
def _shared(written: tuple[bytes, ...], day: str | None, manufacturer: str | None, original: bool) -> Witnesses:  # noqa: FBT001 (part of a cache key)
    patient_id, name, birth_date, sex, model, scanner = (value.rstrip(b"\0 ") for value in written)
    if not original:
        return Witnesses(patient_id, name, birth_date)
    maker = (manufacturer or "").split(" ")[0]
    return Witnesses(patient_id, name, birth_date, sex, (day or "").encode(), maker.encode(), model, scanner)


def frame_facts(dataset: Layer) -> tuple[FrameFacts, ...]:
    """Return the facts of every frame of an image, in order."""
    if isinstance(dataset, dict):  # from `walk`: decoded already, so pydicom cannot warn
        return tuple(_frames(dataset, text(dataset, "StudyInstanceUID") or ""))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(_frames(dataset, text(dataset, "StudyInstanceUID") or ""))


def _frames(dataset: Layer, study_uid: str) -> Iterator[FrameFacts]:
    groups = _items(_value(dataset, "PerFrameFunctionalGroupsSequence"))
    frames = max(1, len(groups), whole(dataset, "NumberOfFrames") or 1)
    if frames > FRAMES or frames > max(1, len(groups)):  # too many for a stack, or frames without facts of their own
        yield _facts(study_uid, None, [dataset], geometry=False)
        return
    if not groups:
        yield _facts(study_uid, None, [dataset])
        return
    shared = _items(_value(dataset, "SharedFunctionalGroupsSequence"))
    for index, group in enumerate(groups):
        yield _facts(study_uid, index, [*_macros(group), *(m for g in shared for m in _macros(g)), dataset])


def layers_of(dataset: "Dataset", frame: int | None) -> "list[Dataset]":
    """Return the data sets that hold a frame's values, the most specific first, for `first`."""
    groups = _items(_value(dataset, "PerFrameFunctionalGroupsSequence"))
    own = _macros(groups[frame]) if frame is not None and frame < len(groups) else []
    shared = _items(_value(dataset, "SharedFunctionalGroupsSequence"))
    return [*own, *(macro for group in shared for macro in _macros(group)), dataset]


def _items(sequence: Any) -> "list[Dataset]":  # noqa: ANN401 (a pydicom sequence or None)
    return list(sequence) if sequence else []


def _macros(group: "Dataset") -> "list[Dataset]":
    """Return the macros of a functional group; each is a sequence of one item."""
    from scarnet_cli.dicom.datasets import sequences  # noqa: PLC0415 (see TYPE_CHECKING above)

    return [item for sequence in sequences(group) for item in sequence[:1]]


def _facts(study_uid: str, frame: int | None, layers: Sequence[Layer], *, geometry: bool = True) -> FrameFacts:
    """Read one frame's facts; the first layer that has a value wins."""
    number = first(layers, "InstanceNumber", whole)
    return FrameFacts(
        study_uid=study_uid,
        series_uid=first(layers, "SeriesInstanceUID", text),
        sop_uid=first(layers, "SOPInstanceUID", text),
        frame=frame,
        modality=first(layers, "Modality", text),
        manufacturer=first(layers, "Manufacturer", text),
        description=first(layers, "SeriesDescription", text),
        protocol=first(layers, "ProtocolName", text),
        series_number=first(layers, "SeriesNumber", whole),
        instance_number=number if frame is None else frame,
        image_type=joined(layers, "FrameType") or joined(layers, "ImageType"),
        sequence=" ".join(filter(None, (joined(layers, k) for k in _SEQUENCE_KEYWORDS))) or None,
        complex_component=first(layers, "ComplexImageComponent", text),
        slope=first(layers, "RescaleSlope", number_of) or 1.0,
        intercept=first(layers, "RescaleIntercept", number_of) or 0.0,
        inversion_ms=first(layers, "InversionTime", number_of) or first(layers, "InversionTimes", number_of),
        echo_ms=first(layers, "EffectiveEchoTime", number_of) or first(layers, "EchoTime", number_of),
        acquired_s=_acquired(layers),
        frame_of_reference=first(layers, "FrameOfReferenceUID", text),
        rows=first(layers, "Rows", whole),
        columns=first(layers, "Columns", whole),
        samples=first(layers, "SamplesPerPixel", whole),
        spacing_yx_mm=_vector(layers, "PixelSpacing", 2),
        position_xyz_mm=_vector(layers, "ImagePositionPatient", 3) if geometry else None,
        orientation=_orientation(layers) if geometry else None,
        stack_id=None if frame is None else first(layers, "StackID", text),
    )


_SEQUENCE_KEYWORDS: Final = ("ScanningSequence", "SequenceVariant", "SequenceName", "PulseSequenceName")


def first(layers: Sequence[Layer], keyword: str, read: Any) -> Any:  # noqa: ANN401 (whatever `read` returns)
    """Return the value of `keyword` from the first layer in which `read` finds one; None if there is none."""
    for layer in layers:
        if keyword in layer and (value := read(layer, keyword)) is not None:
            return value
    return None


def text(dataset: Layer, keyword: str) -> str | None:
    """Return a value as plain text without control characters; None if it is empty or unreadable."""
    value = _value(dataset, keyword)
    if value is None:
        return None
    words = str(value)
    if not words.isprintable():
        words = "".join(c if c.isprintable() else " " for c in words)
    words = words.strip()
    return words[:_TEXT_LIMIT] or None


def whole(dataset: Layer, keyword: str) -> int | None:
    """Return a value as a whole number; None if it is not a number."""
    value = number_of(dataset, keyword)
    return int(value) if value is not None and abs(value) <= _WHOLE_LIMIT else None


def number_of(dataset: Layer, keyword: str) -> float | None:
    """Return a value (the first of several) as a finite number; None if it is not one."""
    value = _value(dataset, keyword)
    values = numbers([value] if isinstance(value, str | int | float) or value is None else list(value)[:1])
    return values[0] if values else None


def numbers(values: Any) -> tuple[float, ...] | None:  # noqa: ANN401 (anything pydicom may return)
    """Return values as finite numbers; None if one of them is not a finite number."""
    try:
        found = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        return None
    return found if all(abs(v) < float("inf") for v in found) else None


def joined(layers: Sequence[Layer], keyword: str) -> str | None:
    """Return the first layer's value with its parts joined by a backslash; None if no layer has one."""
    for layer in layers:
        value = _value(layer, keyword)
        if value:
            parts = [value] if isinstance(value, str) else list(value)
            return "\\".join(str(p).strip() for p in parts)[:_TEXT_LIMIT]
    return None


def _vector(layers: Sequence[Layer], keyword: str, length: int) -> tuple[float, ...] | None:
    for layer in layers:
        value = _value(layer, keyword)
        if value is None or isinstance(value, str | int | float):
            continue
        found = numbers(value)
        if found is not None and len(found) == length:
            return found
    return None


def _orientation(layers: Sequence[Layer]) -> tuple[float, ...] | None:
    found = _vector(layers, "ImageOrientationPatient", 6)
    return found if found and any(found[:3]) and any(found[3:]) else None  # zeros are placeholders


def _value(dataset: Layer, keyword: str) -> Any:  # noqa: ANN401 (anything pydicom may return)
    if isinstance(dataset, dict):  # from `walk`: decoded already
        return dataset.get(keyword)
    from scarnet_cli.dicom.datasets import bounded_value  # noqa: PLC0415 (see TYPE_CHECKING above)

    return bounded_value(dataset, keyword)  # type: ignore[arg-type]  # a Mapping is always a dict from `walk`


def _acquired(layers: Sequence[Layer]) -> float | None:
    """Return the acquisition time in s since midnight of the study's day, from the most exact time in the header."""
    study_day = _day(first(layers, "StudyDate", text))
    stamp = first(layers, "FrameAcquisitionDateTime", text) or first(layers, "AcquisitionDateTime", text)
    if stamp and len(stamp) > len("YYYYMMDD"):
        return _seconds(stamp[8:], _day(stamp[:8]), study_day)
    for word in ("Acquisition", "Content", "Series"):
        found = _seconds(first(layers, f"{word}Time", text), _day(first(layers, f"{word}Date", text)), study_day)
        if found is not None:
            return found
    return None


def clock_seconds(clock: str | None) -> float | None:
    """Return a time of day (HHMMSS.F) in s since midnight; None if it is not one."""
    clock = (clock or "").replace(":", "").split("+")[0].split("-")[0]
    try:
        seconds = int(clock[:2]) * 3600 + int(clock[2:4] or 0) * 60 + float(clock[4:] or 0)
    except ValueError:
        return None
    if not abs(seconds) <= _SECONDS_LIMIT:  # "nan", "1e9"
        return None
    return seconds


def _seconds(clock: str | None, day: int | None, study_day: int | None) -> float | None:
    seconds = clock_seconds(clock)
    return None if seconds is None else seconds + 86400 * (day - study_day if day and study_day else 0)


def _day(stamp: str | None) -> int | None:
    try:
        return date.fromisoformat((stamp or "").replace(".", "")).toordinal()
    except ValueError:
        return None
