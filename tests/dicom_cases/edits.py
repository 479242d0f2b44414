"""Small changes to slices that several cases make."""

from collections.abc import Iterable

from pydicom.dataset import Dataset
from pydicom.uid import UID


def rename(dataset: Dataset, uid: str) -> None:
    """Make a slice another instance."""
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid)


def put(dataset: Dataset, position_xyz_mm: Iterable[float], cosines: Iterable[float]) -> None:
    """Place a slice, with all the digits that DICOM keeps."""
    dataset.ImagePositionPatient = [f"{v:.11f}"[:16] for v in position_xyz_mm]
    dataset.ImageOrientationPatient = [f"{v:.14f}"[:16] for v in cosines]
