"""Files made to hurt, byte by byte, with every length as one likes; and a watch over what reading them costs."""

import bz2
import gzip
import io
import signal
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

UNDEFINED = 0xFFFFFFFF
MOST_SECONDS = 5
MOST_KIB = 1 << 20
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC")


def element(group: int, number: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """Return an element in explicit little endian; its length as given, else true."""
    length = len(value) if length is None else length
    head = struct.pack("<HH", group, number) + vr
    return head + (b"\0\0" + struct.pack("<I", length) if vr in _LONG else struct.pack("<H", length)) + value


def implicit(group: int, number: int, value: bytes) -> bytes:
    return struct.pack("<HHI", group, number, len(value)) + value


def item(content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def start(syntax: bytes) -> bytes:
    """Return preamble and file meta information."""
    uid = element(2, 0x10, b"UI", syntax + b"\0" * (len(syntax) % 2))
    return bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(uid))) + uid


EXPLICIT, IMPLICIT = start(b"1.2.840.10008.1.2.1"), start(b"1.2.840.10008.1.2")
DEFLATED, RLE = start(b"1.2.840.10008.1.2.1.99"), start(b"1.2.840.10008.1.2.5")
_FACTS = [
    (0x08, 0x60, b"CS", b"MR"),
    (0x20, 0x0D, b"UI", b"1.2.3.4\0"),
    (0x20, 0x0E, b"UI", b"1.2.3.5\0"),
    (0x28, 0x10, b"US", b"\x20\0"),
    (0x28, 0x11, b"US", b"\x20\0"),
]
IMAGE_FACTS = b"".join(element(*fact) for fact in _FACTS)
IMPLICIT_FACTS = b"".join(implicit(group, number, value) for group, number, _, value in _FACTS)


def per_frame(groups: bytes, length: int | None = None) -> bytes:
    return element(0x5200, 0x9230, b"SQ", groups, length)


def deflated(pieces: Iterable[bytes]) -> bytes:
    engine = zlib.compressobj(1, zlib.DEFLATED, -15)
    return DEFLATED + b"".join(engine.compress(piece) for piece in pieces) + engine.flush()


def tar_head(name: str, size: int, kind: bytes = b"0") -> bytes:
    """Return a tar header that says any size, also a negative one or one beyond octal digits."""
    info = tarfile.TarInfo(name)
    info.type = kind
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    large = (b"\x80" if size >= 0 else b"\xff") + (size & (2**88 - 1)).to_bytes(11, "big")
    head[124:136] = b"%011o\0" % size if 0 <= size < 8**11 else large
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def gzipped(pieces: Iterable[bytes]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as file:
        for piece in pieces:
            file.write(piece)
    return buffer.getvalue()


def bzipped(pieces: Iterable[bytes]) -> bytes:
    engine = bz2.BZ2Compressor(1)
    return b"".join(engine.compress(piece) for piece in pieces) + engine.flush()


def zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@contextmanager
def watched() -> Iterator[None]:
    """Fail where the block needs over 5 s of processor time, or over 1 GiB more memory than the process had before."""
    before = _peak_kib(reset=True)
    earlier = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, earlier)
    assert _peak_kib() - before < MOST_KIB


def _too_long(_: int, __: FrameType | None) -> None:
    pytest.fail(f"a reader needs over {MOST_SECONDS} s")  # of BaseException's kind: no reader takes it for damage


def _peak_kib(*, reset: bool = False) -> int:
    """Return the most memory that this process has had since the last reset; 0 where the system does not say."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


Maker = Callable[[], bytes]
