"""Where a file of the input lies: a Path on this machine or the address of an object. Nothing else tells them apart."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from scarnet_cli.buckets.connection import AT_ONCE, SCHEMES
from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.errors import InputError

Place: TypeAlias = Path | ObjectPath

_match_address: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL).fullmatch
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def is_address(text: str) -> bool:
    """Tell whether a text is an address rather than a path."""
    return _match_address(text) is not None


def place_of(text: str) -> Place:
    """Return the place that a text names.

    Raises:
        InputError: It is an address of another kind, without a bucket, or with a login.
    """
    found = _match_address(text)
    if found is None:
        return Path(text)
    scheme, path = found[1].lower(), found[2].strip("/")
    if "@" in path.partition("/")[0]:
        message = "The address holds a user name or a password; take it out, and give the login by the environment."
        raise InputError("login_in_address", message)
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        message = (
            f"Studies are not read from an address '{scheme}://'; name a path, a bucket by {known}, or a DICOMweb "
            "server by dicomweb+https://."
        )
        raise InputError("unknown_scheme", message)
    if not path or "//" in path:
        message = f"The address names no bucket, or an empty folder; it must look like {scheme}://BUCKET/FOLDER."
        raise InputError("bad_address", message)
    return ObjectPath(scheme, path)


def located(root: Place, path: str) -> Place:
    """Return where a file lies, given its path below `root`, or its absolute path or address."""
    return place_of(path) if is_address(path) else root / path


def at_once(
    work: Callable[[_Item], _Result], items: Iterable[_Item], places: Iterable[Place | str]
) -> Iterator[_Result]:
    """Yield the result of each item in order: many at once if one of the places lies in a bucket, else one by one."""
    for result in begun(work, items, places):
        yield result()


def begun(
    work: Callable[[_Item], _Result], items: Iterable[_Item], places: Iterable[Place | str]
) -> Iterator[Callable[[], _Result]]:
    """Yield in order, for each item, a function that returns its result or raises its error.

    If one of the places lies in a bucket, many are worked on at once, before they are asked for.
    """
    if not any(is_address(str(place)) for place in places):
        for item in items:
            yield partial(work, item)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = deque(pool.submit(work, item) for item in items)
        try:
            while waiting:
                yield waiting.popleft().result
        finally:
            for future in waiting:
                future.cancel()
