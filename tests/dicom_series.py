"""Small DICOM series with known geometry and values, for tests: unequal spacings, oblique."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

ROWS, COLUMNS = 40, 48
SPACING_YX_MM = (1.4, 1.25)
GAP_MM = 9.0
FIRST_MM = np.array([-95.5, -40.25, 61.0])
# Row, column and normal of an oblique short-axis view, orthonormal to the last digit that DICOM keeps.
NORMAL = np.array([0.65, -0.60, -0.47]) / np.linalg.norm([0.65, -0.60, -0.47])
_SEED = np.array([0.6, 0.7, -0.4])
ROW = (_SEED - NORMAL * (_SEED @ NORMAL)) / np.linalg.norm(_SEED - NORMAL * (_SEED @ NORMAL))
COLUMN = np.cross(NORMAL, ROW)
DIRECTION = np.stack([ROW, COLUMN, NORMAL], axis=1)
# A long axis plane: contains the normal.
LONG_AXIS_PLANE = (NORMAL, ROW)


def stored_pixels(slices: int, seed: int = 0) -> NDArray[np.uint16]:
    """Return (z, y, x) stored values, all different from slice to slice."""
    return np.random.default_rng(seed).integers(0, 4096, (slices, ROWS, COLUMNS)).astype(np.uint16)


def make_series(
    slices: int = 7,
    *,
    name: str | None = "LGE_SAX_PSIR",
    series: str = "1.2.840.99.1",
    study: str = "1.2.840.99.7.1",
    image_type: Sequence[str] = ("ORIGINAL", "PRIMARY", "PSIR"),
    seed: int = 0,
) -> list[Dataset]:
    """Return the slices of one series, in order along the normal."""
    pixels = stored_pixels(slices, seed)
    return [_slice(pixels[i], i, name, series, study, image_type) for i in range(slices)]


def _slice(
    pixels: NDArray[np.uint16], index: int, name: str | None, series: str, study: str, image_type: Sequence[str]
) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{series}.{index + 1}")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    dataset.FrameOfReferenceUID = f"{study}.9"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Secret^Person", "S-1", "19440229"
    dataset.Modality, dataset.Manufacturer, dataset.ImageType = "MR", "SIEMENS", list(image_type)
    dataset.StudyDate = dataset.AcquisitionDate = "20210304"
    dataset.StudyTime, dataset.AcquisitionTime = "100000", f"1015{index:02d}.500000"
    dataset.PatientPosition = "HFS"
    dataset.SeriesNumber, dataset.InstanceNumber = 4, index + 1
    if name is not None:
        dataset.SeriesDescription = name
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns, dataset.PixelSpacing = ROWS, COLUMNS, list(SPACING_YX_MM)
    dataset.SliceThickness = 6
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = pixels.astype("<u2").tobytes()
    place(dataset, index * GAP_MM)
    return dataset


def place(dataset: Dataset, depth_mm: float, shift_mm: float = 0.0, turn_deg: float = 0.0) -> None:
    """Put a slice at a depth along the normal, shifted along its rows and turned about them."""
    angle = np.radians(turn_deg)
    column = COLUMN * np.cos(angle) + NORMAL * np.sin(angle)
    position = FIRST_MM + NORMAL * depth_mm + ROW * shift_mm
    dataset.ImagePositionPatient = [f"{v:.9f}"[:16] for v in position]
    dataset.ImageOrientationPatient = [f"{v:.12f}"[:16] for v in (*ROW, *column)]


def save(datasets: Sequence[Dataset], folder: Path, name: Callable[[int], str] = "{:03d}.dcm".format) -> list[Path]:
    """Write data sets to files and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name(i) for i in range(len(datasets))]
    for dataset, path in zip(datasets, paths, strict=True):
        dataset.save_as(path, enforce_file_format=True)
    return paths
