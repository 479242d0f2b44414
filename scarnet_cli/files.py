"""Files: atomic writes, so that no output is ever incomplete, JSON records and digests."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

Record = TypeVar("Record")


@contextmanager
def atomic_path(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which becomes `path` on success and is removed on an error.

    Until it is renamed only its owner can read it; `mode` then sets its permissions.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.name)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def share_file(source: Path, path: Path) -> None:
    """Give a finished file a second name, atomically; copy it where that cannot be, on another file system say."""
    with atomic_path(path) as temporary:
        temporary.unlink()
        try:
            os.link(source.resolve(), temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 (anything that JSON can hold)
    """Write indented JSON atomically, keys in the order given."""
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def read_json(path: Path) -> Any:  # noqa: ANN401 (anything that JSON can hold)
    """Read a JSON file."""
    return json.loads(path.read_text())


def write_record(path: Path, record: object) -> None:
    """Write a dataclass as indented JSON atomically, its fields in order."""
    write_json(path, msgspec.to_builtins(record))


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read a dataclass from JSON; keys without a field are ignored.

    Raises:
        ValueError: The file is not JSON, or does not hold this dataclass.
    """
    try:
        return parse_record(path.read_bytes(), kind)
    except ValueError as error:
        message = f"{path.name}: {error}"
        raise ValueError(message) from error


def record_text(record: object) -> str:
    """Return a dataclass as one line of JSON."""
    return json.dumps(msgspec.to_builtins(record), separators=(",", ":"))


def parse_record(text: str | bytes, kind: type[Record]) -> Record:
    """Return a dataclass from JSON; keys without a field are ignored.

    Raises:
        ValueError: The text is not JSON, or does not hold this dataclass.
    """
    try:  # msgspec's JSON decoder rejects the lone surrogates that stand for path bytes that are not UTF-8
        return msgspec.convert(json.loads(text), kind)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        message = f"no {kind.__name__} in JSON: {error}"
        raise ValueError(message) from error
