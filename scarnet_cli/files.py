"""Files: atomic writes (nothing is written in place, so no output is ever half there) and digests."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

Record = TypeVar("Record")


@contextmanager
def atomic_path(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on leaving without an error it is renamed to `path`, else removed.

    Until then only its owner can read it; afterwards whom `mode` lets.
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
    """Return the SHA-256 (hex) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    """Write a dataclass as indented JSON atomically, its fields in their order."""
    write_json(path, msgspec.to_builtins(record))


def read_record(path: Path, kind: type[Record]) -> Record:
    """Read a dataclass from JSON; keys that it has no field for are passed over.

    Raises:
        ValueError: The file is no JSON, or not of this record.
    """
    try:
        return parse_record(path.read_bytes(), kind)
    except ValueError as error:
        message = f"{path.name}: {error}"
        raise ValueError(message) from error


def record_text(record: object) -> str:
    """Return a dataclass as JSON in one line."""
    return json.dumps(msgspec.to_builtins(record), separators=(",", ":"))


def parse_record(text: str | bytes, kind: type[Record]) -> Record:
    """Return a dataclass from JSON; keys that it has no field for are passed over.

    Raises:
        ValueError: The text is no JSON, or not of this record.
    """
    try:  # msgspec's own reader refuses the lone surrogates that stand for bytes of a path that are no UTF-8
        return msgspec.convert(json.loads(text), kind)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        message = f"no {kind.__name__} in JSON: {error}"
        raise ValueError(message) from error
