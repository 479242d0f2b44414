"""From the chosen files of a study to one volume: decoded, rescaled frame by frame, in order of position."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.bounds import STUDY_BYTES, STUDY_VOXELS, Budget
from scarnet_cli.dicom.codestream import require_coded_size
from scarnet_cli.dicom.datasets import DAMAGE, read_dataset
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.geometry import stack_geometry
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.philips import Rescale, one_scale, private_scale
from scarnet_cli.dicom.stacks import Note
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume

# No scanner makes larger cardiac slices; a header that says so is damaged or hostile.
LARGEST_SIDE: Final = 4096
LARGEST_PIXEL_MM: Final = 10.0
# Pixel sizes of one stack agree to the rounding of the numbers.
_SPACING_TOLERANCE: Final = 1e-3
_JPEG: Final = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
_END_OF_IMAGE: Final = b"\xff\xd9"
# Who decodes what; JPEG and JPEG 2000 are pylibjpeg's.
_DECODERS: Final = {RLELossless: "pydicom", JPEGLSLossless: "pyjpegls", JPEGLSNearLossless: "pyjpegls"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where one slice lies.

    Attributes:
        path: Path below the input's root, or absolute.
        member: Place in the archive at `path`; None for a plain file.
        frame: Index of the frame in a multi-frame object; None in a classic image.
    """

    path: str
    member: int | None
    frame: int | None


Datasets = dict[tuple[str, int | None], Dataset]


def read_volume(root: Path, sources: Sequence[Source]) -> tuple[Volume, list[Note]]:
    """Read slices into one float32 volume, first slice first along the normal of row and column direction.

    The z axis points along row direction x column direction, so that the grid is right-handed; positions and
    directions are the headers' own, in LPS.

    Returns:
        The volume, and what had to be done to its values.

    Raises:
        DicomError: A slice cannot be read, or the slices make no even, straight stack of one grid.
    """
    datasets = _read_datasets(root, sources)
    facts = _facts(datasets, sources)
    if len({fact.study_uid for fact in facts}) > 1:
        message = "The files are of several studies: some changed after the index was made; run the pipeline again."
        raise DicomError("changed_file", message)
    spacing = _one_grid(facts)
    if len(facts) * (facts[0].rows or 0) * (facts[0].columns or 0) > STUDY_VOXELS:
        message = f"The {len(facts)} slices hold more than {STUDY_VOXELS} voxels; no stack of the heart does."
        raise DicomError("bad_matrix", message)
    positions = np.array([f.position_xyz_mm for f in facts])
    geometry = stack_geometry(positions, np.array([f.orientation for f in facts]))
    rescales, notes = _rescales(datasets, sources, facts)
    slices = [
        _decode(datasets[source.path, source.member], source, fact, rescale, f"File {n} of {len(sources)}")
        for n, (source, fact, rescale) in enumerate(zip(sources, facts, rescales, strict=True), start=1)
    ]
    array = np.stack([slices[i] for i in geometry.order])
    if array.min() == array.max():
        message = f"All {len(facts)} slices hold one single value; the pictures were lost before. Export them again."
        raise DicomError("blank_image", message)
    volume = Volume(array, (geometry.slice_spacing_mm, *spacing), geometry.origin_xyz_mm, geometry.direction)
    return volume, notes


def _read_datasets(root: Path, sources: Sequence[Source]) -> Datasets:
    """Read each file once; an archive in one pass."""
    datasets: Datasets = {}
    members: dict[str, set[int]] = {}
    budget = Budget(STUDY_BYTES)  # for all of them
    names = {(s.path, s.member): f"File {n} of {len(sources)}" for n, s in reversed(list(enumerate(sources, start=1)))}
    for (path, member), which in names.items():
        if member is not None:
            members.setdefault(path, set()).add(member)
            continue
        try:
            with (root / path).open("rb") as stream:
                datasets[path, member] = _read_whole(stream, which, budget)
        except DAMAGE as error:
            raise _unreadable(which, error) from error
    for path, wanted in members.items():
        for place, _, content in read_members(root / path, frozenset(wanted)):
            try:
                datasets[path, place] = _read_whole(io.BytesIO(content), names[path, place], budget)
            except DAMAGE as error:
                raise _unreadable(names[path, place], error) from error
    return datasets


def _read_whole(stream: BinaryIO, which: str, budget: Budget) -> Dataset:
    dataset = read_dataset(stream, budget=budget)
    if "Rows" not in dataset:  # pydicom returns nothing of a file whose compressed pixels break off
        stream.seek(0)
        if "Rows" in read_dataset(stream, tags=["Rows"]):
            message = f"{which} ends in the midst of its pixels; copy or export the study again."
            raise DicomError("bad_pixels", message)
    return dataset


def _unreadable(which: str, error: BaseException) -> DicomError:
    message = f"{which} cannot be read any more ({type(error).__name__}); copy it again."
    return DicomError("not_readable", message)


def _facts(datasets: Datasets, sources: Sequence[Source]) -> list[FrameFacts]:
    """Return the facts of each slice."""
    frames = {key: frame_facts(dataset) for key, dataset in datasets.items()}
    found: list[FrameFacts] = []
    for number, source in enumerate(sources, start=1):
        of_file, index = frames.get((source.path, source.member), ()), source.frame or 0
        facts = of_file[index] if index < len(of_file) else None
        # The index has seen position, orientation and pixel spacing in this file.
        if facts is None or not (facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm):
            message = f"File {number} of {len(sources)} has changed since the index was made; run the pipeline again."
            raise DicomError("changed_file", message)
        if datasets[source.path, source.member].get("BurnedInAnnotation") == "YES":
            message = (
                f"File {number} of {len(sources)} has writing burned into its picture that names the patient "
                "(BurnedInAnnotation is YES), which would show in results and report; export the original picture, or "
                "leave the study out."
            )
            raise DicomError("burned_in_annotation", message)
        found.append(facts)
    return found


def _rescales(
    datasets: Datasets, sources: Sequence[Source], facts: Sequence[FrameFacts]
) -> tuple[list[Rescale], list[Note]]:
    """Return each slice's rescale: the standard one, unless the scanner's private scale contradicts it."""
    standard = [Rescale(f.slope, f.intercept) for f in facts]
    if not all("PHILIPS" in (f.manufacturer or "").upper() for f in facts):
        return standard, []
    scales = [private_scale(datasets[s.path, s.member], s.frame) for s in sources]
    changed = one_scale(standard, scales)
    if changed is None:
        return standard, []
    words = "Slices were stored by different private scales; all were brought to the scale of the first slice."
    return changed, [Note("philips_scale", words, flag=True)]


def _decode(dataset: Dataset, source: Source, facts: FrameFacts, rescale: Rescale, which: str) -> NDArray[np.float32]:
    """Return one slice's values after rescaling, (y, x)."""
    rows, columns = facts.rows or 0, facts.columns or 0
    if not (0 < rows <= LARGEST_SIDE and 0 < columns <= LARGEST_SIDE):
        message = f"{which} says {rows} x {columns} pixels; at most {LARGEST_SIDE} a side are read."
        raise DicomError("bad_matrix", message)
    if facts.samples not in (None, 1):
        message = f"{which} has {facts.samples} samples a pixel; grey pictures have one."
        raise DicomError("bad_pixels", message)
    x, y, z = facts.position_xyz_mm or (0.0, 0.0, 0.0)
    where = f"{which} (slice at x {x:.1f}, y {y:.1f}, z {z:.1f} mm)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            require_coded_size(dataset, source.frame or 0, rows, columns, where)
            stored = _stored_pixels(dataset, source.frame or 0)
    except DAMAGE as error:
        message = (
            f"{where}: its pixels cannot be decoded ({type(error).__name__}: cut short, damaged or in an encoding that "
            "is not installed); copy or export the study again."
        )
        raise DicomError("bad_pixels", message) from error
    if stored.shape != (rows, columns):
        message = f"{where} decodes to {stored.shape}, its header says {rows} x {columns}; export it again."
        raise DicomError("bad_pixels", message)
    # In double precision, then once to float32: a chain of float32 steps would lose the last digits.
    values = stored.astype(np.float64) * rescale.slope + rescale.intercept
    if not np.isfinite(values).all():
        message = f"{where} has values that are not finite; export it again."
        raise DicomError("bad_pixels", message)
    return values.astype(np.float32)


def _stored_pixels(dataset: Dataset, frame: int) -> NDArray[Any]:
    """Return one frame as stored, always by the same decoder, so that no other package changes what is read."""
    meta = dataset.file_meta
    if "TransferSyntaxUID" not in meta:  # a bare data set: pydicom has seen how it is written
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    syntax = meta.TransferSyntaxUID
    if syntax in _JPEG:
        _require_end_of_image(dataset, frame)
    decoder = _DECODERS.get(syntax, "pylibjpeg") if syntax.is_compressed and syntax.is_encapsulated else ""
    return pixel_array(dataset, index=frame, decoding_plugin=decoder)


def _require_end_of_image(dataset: Dataset, frame: int) -> None:
    """Refuse a JPEG picture without its end: the decoder fills what is missing with grey, without a word."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if not get_frame(dataset.PixelData, frame, number_of_frames=frames).rstrip(b"\0").endswith(_END_OF_IMAGE):
        message = "no end of image"
        raise ValueError(message)


def _one_grid(facts: Sequence[FrameFacts]) -> tuple[float, float]:
    sizes = sorted({(f.rows, f.columns) for f in facts}, key=str)
    if len(sizes) > 1:
        message = f"The slices have several sizes in pixels ({sizes}); leave the odd ones out."
        raise DicomError("mixed_grids", message)
    spacings = np.array([f.spacing_yx_mm for f in facts])
    if (np.ptp(spacings, axis=0) > _SPACING_TOLERANCE).any():
        message = f"The slices' pixels differ in size by {np.ptp(spacings):.3f} mm; leave the odd ones out."
        raise DicomError("mixed_grids", message)
    y, x = spacings.mean(axis=0)
    if not (0 < y <= LARGEST_PIXEL_MM and 0 < x <= LARGEST_PIXEL_MM):
        message = f"PixelSpacing is {y} x {x} mm, not between 0 and {LARGEST_PIXEL_MM}; export the study again."
        raise DicomError("bad_spacing", message)
    return float(y), float(x)
