"""Walk the input: which files are there, how large, how old. Opens none of them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from scarnet_cli.dicom.facts import FoundFile


def sweep(root: Path, start: Path) -> Iterator[FoundFile]:
    """Yield every file at or below `start`, in an order that depends on names alone.

    Links are followed; a folder that was already walked is not walked again, so that a loop of links ends. A file or
    folder that vanishes or cannot be listed is left out: what cannot be read shows when its study is incomplete.

    Args:
        root: The input's root; paths are given below it, absolute for what lies outside.
        start: A file, or a folder to walk.
    """
    if start.is_file():
        yield from _found(str(start), _below(root, str(start)))
        return
    walked: set[tuple[int, int]] = set()
    waiting = [str(start)]
    while waiting:
        folder = waiting.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116 (a Path for each of a million files takes longer than the call)
            if (status.st_dev, status.st_ino) in walked:
                continue
            walked.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        prefix = _below(root, folder)
        prefix = "" if prefix == "." else prefix + "/"
        for entry in entries:
            if not _is_folder(entry):
                yield from _found(entry.path, prefix + entry.name)
        waiting.extend(entry.path for entry in reversed(entries) if _is_folder(entry))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _found(path: str, shown: str) -> Iterator[FoundFile]:
    try:
        status = os.stat(path)  # noqa: PTH116 (as above)
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode):  # a pipe would block, a device never end
        return
    yield FoundFile(shown, None, status.st_size, status.st_mtime_ns)


def _below(root: Path, path: str) -> str:
    relative = os.path.relpath(path, root)
    return path if relative.startswith("..") else relative.replace(os.sep, "/")
