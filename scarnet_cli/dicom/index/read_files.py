"""Read what files hold, many in a call: what a worker process imports, and little more."""

import io
import logging
from collections.abc import Sequence
from pathlib import Path, PurePath

from scarnet_cli.dicom.archives import is_archive, read_members
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, JUNK, Header, read_header
from scarnet_cli.dicom.index.sweep import NO_MEMORY, reason_of
from scarnet_cli.errors import DicomError

logger = logging.getLogger(__name__)

# Place in an archive (None for the file itself), and what it holds.
Found = list[tuple[int | None, Header]]


def read_files(root: Path, paths: Sequence[str]) -> list[Found]:
    """Return what each of several files holds; see `read_file`."""
    return [read_file(root, path) for path in paths]


def read_file(root: Path, path: str) -> Found:
    """Return what a file holds; of an archive itself first, then its members by their place.

    A file that is gone, or that the operating system does not let us read, has the reason as its kind.

    Raises:
        MachineError: No file can be read.
    """
    full = root / path
    try:
        with full.open("rb", buffering=0) as stream:
            header = read_header(stream, PurePath(path).suffix)
        if header.kind != JUNK or not is_archive(full):
            return [(None, header)]
        return _read_archive(full)
    except OSError as error:
        return [(None, Header(reason_of(error)))]
    except MemoryError:
        return [(None, Header(NO_MEMORY))]


def _read_archive(path: Path) -> Found:
    found: Found = [(None, Header(ARCHIVE))]
    try:
        found.extend((place, read_header(io.BytesIO(content), suffix)) for place, suffix, content in read_members(path))
    except DicomError as error:
        logger.warning("an archive is left out: %s", error)
        return [(None, Header(BROKEN))]
    return found
