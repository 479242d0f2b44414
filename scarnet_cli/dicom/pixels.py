"""From the chosen files of a study to one volume: decoded, rescaled frame by frame, in order of position."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.datasets import DAMAGE, read_dataset
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.geometry import stack_geometry
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume

# No scanner makes larger cardiac slices; a header that says so is damaged or hostile.
LARGEST_SIDE: Final = 4096
LARGEST_PIXEL_MM: Final = 10.0
# Pixel sizes of one stack agree to the rounding of the numbers.
_SPACING_TOLERANCE: Final = 1e-3


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


def read_volume(root: Path, sources: Sequence[Source]) -> tuple[Volume, bool]:
    """Read slices into one float32 volume, first slice first along the normal of row and column direction.

    The z axis points along row direction x column direction, so that the grid is right-handed; positions and
    directions are the headers' own, in LPS.

    Returns:
        The volume, and whether its direction cosines had to be repaired.

    Raises:
        DicomError: A slice cannot be read, or the slices make no even, straight stack of one grid.
    """
    datasets = _read_datasets(root, sources)
    slices = [_slice(datasets, source, f"{n} of {len(sources)}") for n, source in enumerate(sources, start=1)]
    facts = [fact for fact, _ in slices]
    if len({fact.study_uid for fact in facts}) > 1:
        message = "The files are of several studies: some changed after the index was made; run the pipeline again."
        raise DicomError("changed_file", message)
    spacing = _one_grid(facts)
    positions = np.array([f.position_xyz_mm for f in facts])
    geometry = stack_geometry(positions, np.array([f.orientation for f in facts]))
    array = np.stack([slices[i][1] for i in geometry.order])
    if array.min() == array.max():
        message = f"All {len(facts)} slices hold one single value; the pictures were lost before. Export them again."
        raise DicomError("blank_image", message)
    volume = Volume(array, (geometry.slice_spacing_mm, *spacing), geometry.origin_xyz_mm, geometry.direction)
    return volume, geometry.repaired


def _read_datasets(root: Path, sources: Sequence[Source]) -> dict[tuple[str, int | None], Dataset]:
    """Read each file once; an archive in one pass."""
    datasets: dict[tuple[str, int | None], Dataset] = {}
    members: dict[str, set[int]] = {}
    numbers = {(s.path, s.member): n for n, s in reversed(list(enumerate(sources, start=1)))}
    for key, number in numbers.items():
        path, member = key
        if member is not None:
            members.setdefault(path, set()).add(member)
            continue
        try:
            with (root / path).open("rb") as stream:
                datasets[key] = read_dataset(stream)
        except DAMAGE as error:
            raise _unreadable(number, len(sources), error) from error
    for path, wanted in members.items():
        for place, _, content in read_members(root / path, frozenset(wanted)):
            try:
                datasets[path, place] = read_dataset(io.BytesIO(content))
            except DAMAGE as error:
                raise _unreadable(numbers[path, place], len(sources), error) from error
    return datasets


def _unreadable(number: int, total: int, error: BaseException) -> DicomError:
    message = f"File {number} of {total} cannot be read any more ({type(error).__name__}); copy it again."
    return DicomError("not_readable", message)


def _slice(
    datasets: dict[tuple[str, int | None], Dataset], source: Source, which: str
) -> tuple[FrameFacts, NDArray[np.float32]]:
    dataset = datasets.get((source.path, source.member))
    frames = frame_facts(dataset) if dataset is not None else ()
    index = source.frame or 0
    facts = frames[index] if index < len(frames) else None
    # The index has seen position, orientation and pixel spacing in this file.
    whole = facts is not None and facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm
    if dataset is None or facts is None or not whole:
        message = f"File {which} has changed since the index was made; run the pipeline again."
        raise DicomError("changed_file", message)
    if dataset.get("BurnedInAnnotation") == "YES":
        message = (
            f"File {which} has writing burned into its picture that names the patient (BurnedInAnnotation is YES), "
            "which would show in results and report; export the original picture, or leave the study out."
        )
        raise DicomError("burned_in_annotation", message)
    return facts, _decode(dataset, facts, source.frame, which)


def _decode(dataset: Dataset, facts: FrameFacts, frame: int | None, which: str) -> NDArray[np.float32]:
    """Return one slice's values after rescaling, (y, x)."""
    rows, columns = facts.rows or 0, facts.columns or 0
    if not (0 < rows <= LARGEST_SIDE and 0 < columns <= LARGEST_SIDE):
        message = f"File {which} says {rows} x {columns} pixels; at most {LARGEST_SIDE} a side are read."
        raise DicomError("bad_matrix", message)
    x, y, z = facts.position_xyz_mm or (0.0, 0.0, 0.0)
    where = f"File {which} (slice at x {x:.1f}, y {y:.1f}, z {z:.1f} mm)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored: NDArray[Any] = pixel_array(dataset, index=frame or 0)
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
    values = stored.astype(np.float64) * facts.slope + facts.intercept
    if not np.isfinite(values).all():
        message = f"{where} has values that are not finite; export it again."
        raise DicomError("bad_pixels", message)
    return values.astype(np.float32)


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
