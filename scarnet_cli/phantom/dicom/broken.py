"""Break studies on purpose, in ways that a pipeline must survive."""

from collections.abc import Callable
from typing import Final

from pydicom import dcmread

from scarnet_cli.dicom.datasets import file_bytes
from scarnet_cli.files import write_bytes
from scarnet_cli.phantom.dicom.write import WrittenStudy

_KEPT_FRACTION: Final = 0.6
_TOO_FEW: Final = 2


def truncate_pixels(study: WrittenStudy) -> None:
    """Cut the file of the stack's middle slice off within its pixels, like an interrupted transfer."""
    path = study.stack_files[len(study.stack_files) // 2]
    content = path.read_bytes()
    write_bytes(path, content[: int(len(content) * _KEPT_FRACTION)])


def remove_stack(study: WrittenStudy) -> None:
    """Delete the whole LGE stack; the study's other series remain."""
    for path in study.stack_files:
        path.unlink()


def remove_positions(study: WrittenStudy) -> None:
    """Delete position and orientation from every file of the stack, as some anonymisers do."""
    for path in study.stack_files:
        dataset = dcmread(path)
        del dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.SliceLocation
        write_bytes(path, file_bytes(dataset))


def remove_slices(study: WrittenStudy) -> None:
    """Delete all but two slices of the stack."""
    for path in study.stack_files[_TOO_FEW:]:
        path.unlink()


# In the order in which `scarnet phantom --broken` uses them.
BREAKS: Final[dict[str, Callable[[WrittenStudy], None]]] = {
    "truncated_pixels": truncate_pixels,
    "no_lge_series": remove_stack,
    "no_positions": remove_positions,
    "two_slices": remove_slices,
}
