"""Read the chosen files of a study into one volume: decode, rescale each frame, order by position."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.bounds import STUDY_VOXELS
from scarnet_cli.dicom.decode import decode_slice, has_padding, is_lossy, is_negative
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.geometry import stack_geometry
from scarnet_cli.dicom.notes import Note
from scarnet_cli.dicom.philips import Rescale, one_scale, private_scale
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.dicom.whole_files import WholeFiles, read_whole_files
from scarnet_cli.errors import DicomError
from scarnet_cli.image.volume import Volume

PIXEL_MM: Final = (0.05, 10.0)  # outside of it the unit is wrong, not the image unusual
# Pixel sizes of one stack agree up to rounding, in mm.
_SPACING_TOLERANCE: Final = 1e-3


def read_volume(root: Place, sources: Sequence[Source]) -> tuple[Volume, list[Note]]:
    """Read slices, whose paths are relative to `root`, into one volume; see `volume_of` and `read_whole_files`."""
    return volume_of(read_whole_files(root, sources), sources)


def volume_of(files: WholeFiles, sources: Sequence[Source], *, one_uid: bool = True) -> tuple[Volume, list[Note]]:
    """Return slices as one float32 volume (z, y, x), ordered along the normal.

    The z axis is row direction x column direction, so the grid is right-handed; positions and directions are those of
    the headers, in LPS, positions and spacing in mm.

    Args:
        files: Their files.
        sources: The slices, in any order.
        one_uid: Require all slices to have one StudyInstanceUID, as they had during indexing.

    Returns:
        The volume, and the rules applied to its values.

    Raises:
        DicomError: A slice's pixels cannot be read, or the slices do not form an even, straight stack on one grid.
    """
    facts = _facts(files, sources)
    if one_uid and len({fact.study_uid for fact in facts}) > 1:
        message = "The files are of several studies: some changed after the index was made; run the pipeline again."
        raise DicomError("changed_file", message)
    spacing = _one_grid(facts)
    if len(facts) * (facts[0].rows or 0) * (facts[0].columns or 0) > STUDY_VOXELS:
        message = f"The {len(facts)} slices hold more than {STUDY_VOXELS} voxels; no stack of the heart does."
        raise DicomError("bad_matrix", message)
    positions = np.array([f.position_xyz_mm for f in facts])
    geometry = stack_geometry(positions, np.array([f.orientation for f in facts]))
    rescales, notes = _rescales(files, sources, facts)
    if any(is_negative(files[source.path, source.member].dataset) for source in sources):
        words = "The pictures are stored as negatives (MONOCHROME1); they were turned into positives."
        notes = [*notes, Note("negative_inverted", words, flag=True)]
    if any(is_lossy(files[source.path, source.member].dataset) for source in sources):
        notes = [*notes, Note("lossy_compressed", "The pictures were compressed with loss.", flag=True)]
    if any(has_padding(files[source.path, source.member].dataset) for source in sources):
        words = "Pixels of the stated padding (PixelPaddingValue) were given the least value of the others."
        notes = [*notes, Note("padding_replaced", words, flag=True)]
    slices = [
        decode_slice(files[source.path, source.member].dataset, fact, rescale, f"File {n} of {len(sources)}")
        for n, (source, fact, rescale) in enumerate(zip(sources, facts, rescales, strict=True), start=1)
    ]
    array = np.stack([slices[i] for i in geometry.order])
    if array.min() == array.max():
        message = f"All {len(facts)} slices hold a single value: their pixels were lost. Export the study again."
        raise DicomError("blank_image", message)
    volume = Volume(array, (geometry.slice_spacing_mm, *spacing), geometry.origin_xyz_mm, geometry.direction)
    return volume, notes


def _facts(files: WholeFiles, sources: Sequence[Source]) -> list[FrameFacts]:
    """Return the facts of each slice.

    Raises:
        DicomError: A file has changed since it was indexed, or states that its pixels name the patient.
    """
    found: list[FrameFacts] = []
    for number, source in enumerate(sources, start=1):
        file, index = files.get((source.path, source.member)), source.frame or 0
        facts = file.frames[index] if file and index < len(file.frames) else None
        # The index read position, orientation and pixel spacing from this file.
        if file is None or facts is None or not (facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm):
            message = f"File {number} of {len(sources)} has changed since the index was made; run the pipeline again."
            raise DicomError("changed_file", message)
        if file.dataset.get("BurnedInAnnotation") == "YES":
            message = (
                f"File {number} of {len(sources)} has text burned into its image that may name the patient "
                "(BurnedInAnnotation is YES) and would show in results and report; export the original image, or "
                "leave the study out."
            )
            raise DicomError("burned_in_annotation", message)
        found.append(facts)
    return found


def _rescales(
    files: WholeFiles, sources: Sequence[Source], facts: Sequence[FrameFacts]
) -> tuple[list[Rescale], list[Note]]:
    """Return each slice's rescale and any note: the standard rescale, unless Philips's private scales differ."""
    standard = [Rescale(f.slope, f.intercept) for f in facts]
    if not all("PHILIPS" in (f.manufacturer or "").upper() for f in facts):
        return standard, []
    scales = [private_scale(files[s.path, s.member].dataset, s.frame) for s in sources]
    changed = one_scale(standard, scales)
    if changed is None:
        return standard, []
    words = "Slices were stored by different private scales; all were brought to the scale of the first slice."
    return changed, [Note("philips_scale", words, flag=True)]


def _one_grid(facts: Sequence[FrameFacts]) -> tuple[float, float]:
    sizes = sorted({(f.rows, f.columns) for f in facts}, key=str)
    if len(sizes) > 1:
        message = f"The slices differ in their numbers of rows and columns ({sizes}); leave the odd ones out."
        raise DicomError("mixed_grids", message)
    spacings = np.array([f.spacing_yx_mm for f in facts])
    if (np.ptp(spacings, axis=0) > _SPACING_TOLERANCE).any():
        message = f"The slices' pixels differ in size by {np.ptp(spacings):.3f} mm; leave the odd ones out."
        raise DicomError("mixed_grids", message)
    y, x = spacings.mean(axis=0)
    least, largest = PIXEL_MM
    if not (least <= min(y, x) <= max(y, x) <= largest):
        message = f"PixelSpacing is {y} x {x} mm, not between {least} and {largest}; export the study again."
        raise DicomError("bad_spacing", message)
    return float(y), float(x)
