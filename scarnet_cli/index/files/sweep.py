"""Walk the input and list its files with size and time, without opening any."""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.buckets.place import Place, is_address
from scarnet_cli.dicom.containers import NIFTI, UNKNOWN_ARCHIVE
from scarnet_cli.dicom.facts import FoundFile, folder_of
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.dicom.packing import REFUSED
from scarnet_cli.faults import machine_fault, own_fault
from scarnet_cli.index.files.leftovers import is_system_folder

# Reasons why a file or folder was not read, in addition to `REFUSED` and `PASSED_OVER`.
VANISHED: Final = "vanished"
UNREADABLE: Final = "unreadable"
DEAD_LINK: Final = "dead_link"
CRASHED: Final = "crashed"
STUCK: Final = "stuck"
NO_MEMORY: Final = "no_memory"
IO_ERROR: Final = "io_error"
LINK_LOOP: Final = "link_loop"
WALKED_BEFORE: Final = "walked_before"
NO_FILE: Final = "no_file"
SYSTEM_FOLDER: Final = "system_folder"
OWN_OUTPUT: Final = "own_output"
# Reasons for which this run loses the file or folder.
LOST: Final = (VANISHED, UNREADABLE, DEAD_LINK, CRASHED, STUCK, NO_MEMORY, IO_ERROR, *REFUSED)
# Reasons that are reported but count as no loss: a file of another kind, or an archive that cannot be opened.
PASSED_OVER: Final = (NIFTI, UNKNOWN_ARCHIVE)


class UnreadItem(NamedTuple):
    """A file or folder of the input that was not read.

    Attributes:
        path: Its path, as in `FoundFile`.
        is_folder: Whether it is a folder.
        reason: One of this module's reasons.
        member: Its number in the archive at `path`; None for the file itself.
    """

    path: str
    is_folder: bool
    reason: str
    member: int | None = None


def lost_files(unread: Iterable[UnreadItem]) -> list[FoundFile]:
    """Return the lost items as files of unknown size and time."""
    return [FoundFile(item.path, None, 0, 0) for item in sorted(set(unread)) if item.reason in LOST]


def folder_key(file: FoundFile) -> str:
    """Return the key (16 hex digits) of a file's folder in tables; at the root, the key of the file itself."""
    folder = folder_of(file)
    return path_key(file.path if folder == "." else folder)[:16]


def sweep(
    root: Place, start: Place, unread: Callable[[UnreadItem], None], leave_out: Iterable[Place] = ()
) -> Iterator[FoundFile]:
    """Yield every file or object at or below `start`, in an order that depends only on names.

    Links are followed; a folder is walked only once, so that a loop of links ends.

    Args:
        root: The input's root; paths are relative to it, or absolute outside of it.
        start: A file, or a folder to walk; or an object, or a prefix to list.
        unread: Called with each item that is not a regular file, cannot be listed or has vanished.
        leave_out: Folders that are not walked, unless one is `start` itself.

    Raises:
        MachineError: The machine can list no folder at all, or a bucket denies access or its server fails.
    """
    if isinstance(start, ObjectPath):
        yield from _sweep_bucket(root, start, unread, leave_out)
        return
    if not start.is_dir():
        yield from _stat(str(start), _below(root, str(start)), unread)
        return
    walked: set[tuple[int, int]] = set()
    waiting = [str(start)]
    left_out = _identities(leave_out) - _identities([start])
    while waiting:
        folder = waiting.pop()
        shown = _below(root, folder)
        if folder != str(start) and is_system_folder(folder.rpartition(os.sep)[2]):
            unread(UnreadItem(shown, is_folder=True, reason=SYSTEM_FOLDER))
            continue
        try:
            status = os.stat(folder)  # noqa: PTH116 (making a Path for each of a million files is slow)
            identity = (status.st_dev, status.st_ino)
            if identity in walked or identity in left_out:
                reason = OWN_OUTPUT if identity in left_out else WALKED_BEFORE
                unread(UnreadItem(shown, is_folder=True, reason=reason))
                continue
            walked.add(identity)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            unread(UnreadItem(shown, is_folder=True, reason=reason_of(error)))
            continue
        prefix = "" if shown == "." else shown + "/"
        folders = []
        for entry in entries:
            if _is_folder(entry):
                folders.append(entry.path)
            else:
                yield from _stat(entry.path, prefix + entry.name, unread)
        waiting.extend(reversed(folders))


def _sweep_bucket(
    root: Place, start: ObjectPath, unread: Callable[[UnreadItem], None], leave_out: Iterable[Place]
) -> Iterator[FoundFile]:
    shown = _below(root, str(start))
    try:
        found = start.objects()
    except FileNotFoundError:
        yield from _stat_object(start, shown, unread)
        return
    prefix = "" if shown == "." else shown + "/"
    folders = [str(folder) for folder in leave_out if isinstance(folder, ObjectPath) and folder != start]
    own = tuple(f"{_below(root, folder)}/" for folder in folders)
    left: set[UnreadItem] = set()
    for below, status in found:
        path = prefix + below
        item = _left_out(path, len(prefix), own)
        if item is None:
            yield FoundFile(path, None, status.st_size, status.st_mtime_ns)
        elif item not in left:
            left.add(item)
            unread(item)


def _left_out(path: str, start: int, own: tuple[str, ...]) -> UnreadItem | None:
    """Return the folder for whose sake an object is not read, or None; `start` is the length of the prefix listed."""
    if path.startswith(own):
        folder = next(folder for folder in own if path.startswith(folder))
        return UnreadItem(folder.rstrip("/"), is_folder=True, reason=OWN_OUTPUT)
    end = start
    while (end := path.find("/", end)) >= 0:
        if is_system_folder(path[:end].rpartition("/")[2]):
            return UnreadItem(path[:end], is_folder=True, reason=SYSTEM_FOLDER)
        end += 1
    return None


def _stat_object(start: ObjectPath, shown: str, unread: Callable[[UnreadItem], None]) -> Iterator[FoundFile]:
    try:
        status = start.stat()
    except FileNotFoundError:
        unread(UnreadItem(shown, is_folder=False, reason=VANISHED))
        return
    yield FoundFile(shown, None, status.st_size, status.st_mtime_ns)


def _identities(folders: Iterable[Place]) -> set[tuple[int, int]]:
    """Return device and inode of each folder that exists, so that folders are recognised behind links."""
    found = set()
    for folder in folders:
        with suppress(OSError):
            if isinstance(folder, Path):
                status = folder.stat()
                found.add((status.st_dev, status.st_ino))
    return found


def reason_of(error: OSError) -> str:
    """Return the reason for an error of the operating system on one file or folder.

    Raises:
        MachineError: The error would occur for any other file too.
    """
    if error.errno in (errno.ENOENT, errno.ELOOP):
        return VANISHED if error.errno == errno.ENOENT else LINK_LOOP
    if fault := own_fault(error):
        raise fault from error
    return IO_ERROR if machine_fault(error) else UNREADABLE


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _stat(path: str, shown: str, unread: Callable[[UnreadItem], None]) -> Iterator[FoundFile]:
    try:
        status = os.stat(path)  # noqa: PTH116 (as above)
    except OSError as error:
        reason = reason_of(error)
        dead = reason == VANISHED and os.path.islink(path)  # noqa: PTH114 (as above)
        unread(UnreadItem(shown, is_folder=False, reason=DEAD_LINK if dead else reason))
        return
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would block, and reading a device never end
        unread(UnreadItem(shown, is_folder=False, reason=NO_FILE))
        return
    yield FoundFile(shown, None, status.st_size, status.st_mtime_ns)


def _below(root: Place, path: str) -> str:
    if isinstance(root, ObjectPath) or is_address(path):
        return "." if path == str(root) else path.removeprefix(f"{root}/")
    relative = os.path.relpath(path, root)
    return path if relative.startswith("..") else relative.replace(os.sep, "/")
