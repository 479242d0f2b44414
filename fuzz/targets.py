"""The fuzz targets: each passes bytes to one reader in the same way as the pipeline.

A target returns or raises a ScarnetError; any other exception, a crash, a hang or excessive memory is a find.
"""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from fuzz import corpus
from scarnet_cli.dicom.batch import read_batch
from scarnet_cli.dicom.convert_stage import convert_batch
from scarnet_cli.dicom.convert_study import read_nifti_study
from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.headers import image_header, read_by_pydicom, read_header
from scarnet_cli.dicom.pixels import read_volume
from scarnet_cli.dicom.series.selection import select
from scarnet_cli.dicom.walk import BLOCK, walk
from scarnet_cli.dicom.whole_files import Source
from scarnet_cli.errors import ScarnetError
from scarnet_cli.image.reference import read_reference
from scarnet_cli.image.volume import Volume
from scarnet_cli.index.files.cache import read_cache, write_cache
from scarnet_cli.index.files.recall import recall
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.samplesheet import read_samplesheet
from scarnet_cli.index.write_index import write_index

_MOST_FRAMES: Final = 3
_GRID: Final = Volume(np.zeros((3, 5, 4), np.uint8), (8.0, 1.5, 1.25), (1.0, 2.0, 3.0), np.eye(3))


def headers(content: bytes, folder: Path) -> None:
    """Read a header and choose among its frames; our fast header reader must agree with pydicom or decline."""
    elements = walk(io.BytesIO(content), content[:BLOCK])
    if elements is not None:
        found = image_header(elements)
        assert repr(found) == repr(read_by_pydicom(io.BytesIO(content), meant=True)), "walk and pydicom differ"
    for suffix in ("", ".dcm"):
        header = read_header(io.BytesIO(content), suffix)
    select([Frame(FoundFile("f", None, 0, 0), facts) for facts in header.frames])


def pixels(content: bytes, folder: Path) -> None:
    """Decode the first frames of a file, each with a slice of ours that forms a stack with it."""
    (folder / "slice.dcm").write_bytes(content)
    for facts in read_header(io.BytesIO(content), ".dcm").frames[:_MOST_FRAMES]:
        (folder / "next.dcm").write_bytes(corpus.next_slice(facts))
        sources = [Source("slice.dcm", None, facts.frame), Source("next.dcm", None, None)]
        _refused(lambda sources=sources: read_volume(folder, sources))


def index(content: bytes, folder: Path) -> None:
    """Index a folder of one file, which may be an archive, and write and read the cache."""
    (folder / "in").mkdir()
    (folder / "in" / "file").write_bytes(content)
    intake = index_input(folder / "in", None, IndexOptions())
    write_index(intake, folder / "out")
    index_input(folder / "in", read_cache([folder / "out" / "index.parquet"]), IndexOptions())


def study(content: bytes, folder: Path) -> None:
    """Index and convert a folder of one file, as `scarnet convert` does."""
    (folder / "in").mkdir()
    (folder / "in" / "file.dcm").write_bytes(content)
    intake = index_input(folder / "in", None, IndexOptions())
    for failure in convert_batch(intake.batch, folder / "out"):
        if failure.code == "internal_error":
            raise AssertionError(failure.message)


def nifti(content: bytes, folder: Path) -> None:
    """Read a NIfTI study and a reference."""
    for suffix in (".nii", ".nii.gz"):
        path = folder / f"image{suffix}"
        path.write_bytes(content)
        _refused(lambda path=path: read_nifti_study(path))
        _refused(lambda path=path: read_reference(path, _GRID))


def cache(content: bytes, folder: Path) -> None:
    """Read an index cache and write it again."""
    path = folder / "index.parquet"
    path.write_bytes(content)
    memory = read_cache([path])
    write_cache(memory, folder / "again.parquet")
    recall(memory, [FoundFile("a.dcm", None, 1, 2)])


def sheet(content: bytes, folder: Path) -> None:
    """Read a samplesheet."""
    path = folder / "samplesheet.csv"
    path.write_bytes(content)
    read_samplesheet(path)


def batch(content: bytes, folder: Path) -> None:
    """Read a batch file."""
    path = folder / "batch.json"
    path.write_bytes(content)
    read_batch(path)


def _refused(read: Callable[[], object]) -> None:
    try:
        read()
    except ScarnetError:
        return


Target = Callable[[bytes, Path], None]
TARGETS: Final[dict[str, tuple[Target, Callable[[], Iterator[bytes]]]]] = {
    "headers": (headers, corpus.dicom_files),
    "pixels": (pixels, corpus.dicom_files),
    "index": (index, corpus.archives),
    "study": (study, corpus.dicom_files),
    "nifti": (nifti, corpus.nifti_files),
    "cache": (cache, corpus.caches),
    "sheet": (sheet, corpus.sheets),
    "batch": (batch, corpus.batches),
}


def run(name: str, content: bytes) -> None:
    """Run one target on one input in its own folder, and return on a ScarnetError."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        _refused(lambda: TARGETS[name][0](content, folder))
    finally:
        shutil.rmtree(folder)


def seeds(name: str) -> Iterable[bytes]:
    """Yield the valid inputs that fuzzing starts from."""
    return TARGETS[name][1]()
