"""Check that the input stays available: studies must not count as lost because a share was away for a minute."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scarnet_cli.buckets.place import Place, located
from scarnet_cli.errors import MachineError
from scarnet_cli.index.files.sweep import VANISHED, UnreadItem

_AGAIN = "Bring it back and run again with -resume, which goes on from there."


@contextmanager
def standing(places: Iterable[Place]) -> Iterator[None]:
    """Require that folders and files exist before and after the block, and are the same ones.

    Raises:
        MachineError: One is gone, cannot be opened, or was replaced or remounted meanwhile.
    """
    before = [(path, _identity(path)) for path in places if isinstance(path, Path)]  # a bucket is no share
    yield
    for path, identity in before:
        if _identity(path) != identity:
            message = f"The input, or a part of it, was replaced or mounted anew while it was read. {_AGAIN}"
            raise MachineError("input_replaced", message)


def _identity(path: Path) -> tuple[int, int]:
    """Return device and inode of a path, after checking that a folder can be listed.

    Raises:
        MachineError: The path does not exist or cannot be read.
    """
    try:
        status = path.stat()
        if path.is_dir():
            with os.scandir(path) as listing:
                next(listing, None)
    except OSError as error:
        message = f"The input, or a part of it, is not there or cannot be read ({error.strerror}). {_AGAIN}"
        raise MachineError("input_gone", message) from error
    return status.st_dev, status.st_ino


def require_gone(root: Place, unread: Iterable[UnreadItem]) -> None:
    """Require that files and folders that vanished during the run are still gone.

    Raises:
        MachineError: Some of them exist again.
    """
    back = sum(located(root, item.path).exists() for item in unread if item.reason == VANISHED)
    if back:
        message = f"{back} files or folders of the input were gone for a while and are there again: a share was away. "
        raise MachineError("input_away", message + "Run again with -resume, which goes on from there.")
