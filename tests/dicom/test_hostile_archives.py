"""Archives made to hurt: each is read or refused, within the bounds of time and memory."""

import bz2
import lzma
from pathlib import Path

import pytest
from hostile_files import EXPLICIT, IMAGE_FACTS, Maker, bzipped, gzipped, tar_head, watched, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.packing import REFUSED
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.read_files import kind_of

ZEROS = bytes(1 << 20)
PAX = b"6 a=b\n" * 10_000


def directory_of(count: int) -> bytes:
    """Return a zip whose directory names one member again and again."""
    whole = zipped([("a", b"")])
    first, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    directory = whole[first:end] * count
    sizes = len(directory).to_bytes(4, "little") + first.to_bytes(4, "little")
    return whole[:first] + directory + whole[end : end + 8] + b"\xff\xff\xff\xff" + sizes + b"\0\0"


BOMBS: dict[str, Maker] = {
    "member_of_300_mb": lambda: zipped([("a", bytes(300 << 20))]),
    "many_members_of_50_mb": lambda: zipped((str(i), ZEROS * 50) for i in range(4)),
    "directory_of_120000": lambda: directory_of(120_000),
    "tar_member_of_8_gb": lambda: tar_head("a", 1 << 33),
    "tar_member_of_10_to_the_24": lambda: tar_head("a", 1 << 80),
    "tar_entry_that_points_back": lambda: tar_head("a", -1024, b"5") + tar_head("a", -1024),
    "packed_member_of_8_gb": lambda: gzipped([tar_head("a", 1 << 33), *[ZEROS] * 20]),
    "packed_member_of_200_mb": lambda: bzipped([tar_head("a", 200 << 20), *[ZEROS] * 200]),
    "extended_header_of_1_gb": lambda: gzipped([tar_head("a", 1 << 30, b"x"), *[ZEROS] * 20]),
    "name_of_1_gb": lambda: gzipped([tar_head("a", 1 << 30, b"L"), *[ZEROS] * 20]),
    "extended_headers_of_9_mb": lambda: gzipped(
        [(tar_head("a", len(PAX), b"x") + PAX.ljust(-(-len(PAX) // 512) * 512, b"\0") + tar_head("f", 0))] * 150
    ),
    "extended_headers_in_a_chain": lambda: gzipped([(tar_head("a", 512, b"x") + b"6 a=b\n".ljust(512, b"\0")) * 3000]),
    "links_without_end": lambda: gzipped([tar_head("a", 0, b"2") * 100_100]),
    "gzip_name_of_a_million_letters": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 1_100_000,
    "gzip_of_20000_empty_members": lambda: gzipped([]) * 20_000,
    "bzip2_of_20000_empty_streams": lambda: bz2.compress(b"") * 20_000,
    "xz_of_10000_empty_streams": lambda: lzma.compress(b"") * 10_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_bounds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "study"
    path.write_bytes(BOMBS[name]())
    with watched():
        kind_of(path)
        with pytest.raises(DicomError) as refused:
            for _ in read_members(path):
                pass
    assert refused.value.code in {"archive_too_large", "bad_archive"}


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped([("a.dcm", b"x" * 40)]))
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + flags] |= 1
    (tmp_path / "study").write_bytes(content)
    with pytest.raises(DicomError, match="cannot be read"):
        list(read_members(tmp_path / "study"))


VALID = [zipped([("a.dcm", EXPLICIT + IMAGE_FACTS), ("b", b"words")])]
VALID += [gzipped([tar_head("a", 3) + b"abc".ljust(512, b"\0") + bytes(1024)])]
VALID += [tar_head("a", 3) + b"abc".ljust(512, b"\0") + bytes(1024)]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    content=st.sampled_from(VALID),
    flips=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 60),
)
def test_damage_to_an_archive_is_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, flips: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(content)
    for place, value in flips:
        damaged[place % len(damaged)] = value
    path = tmp_path_factory.getbasetemp() / "damaged_archive"
    path.write_bytes(damaged[: len(damaged) - cut])
    kind_of(path)
    try:
        for _ in read_members(path):
            pass
    except DicomError as error:
        assert error.code in REFUSED  # noqa: PT017 (most damage leaves it readable)
