"""Archives: read member by member, bounded, and never trusted."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_files import EXPLICIT, IMAGE_FACTS, gzipped, tar_head, zipped

from scarnet_cli.dicom import packing
from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.headers import Header
from scarnet_cli.dicom.packing import open_file
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.read_files import kind_of, read_file

IMAGE = EXPLICIT + IMAGE_FACTS


def tar(path: Path, mode: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def tar_of(members: dict[str, bytes]) -> bytes:
    parts = [(tar_head(name, len(content)), content, bytes(-len(content) % 512)) for name, content in members.items()]
    return b"".join(piece for part in parts for piece in part) + bytes(1024)


def kinds(folder: Path, content: bytes, name: str = "study") -> list[str]:
    (folder / name).write_bytes(content)
    return [header.kind for _, header in read_file(folder, name)]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_members_come_by_place_whatever_their_names_say(tmp_path: Path, mode: str) -> None:
    path = tar(tmp_path / "study", mode, {"../a.dcm": b"one", "/abs/b": b"two", "c.txt": b"three"})
    assert kind_of(path) == "archive"
    found = [(m.number, m.name, m.content, m.kind) for m in read_members(path)]
    assert found == [(0, "../a.dcm", b"one", None), (1, "/abs/b", b"two", None), (2, "c.txt", b"three", None)]
    assert [m.content for m in read_members(path, frozenset({1}))] == [b"two"]
    assert [p.name for p in tmp_path.iterdir()] == ["study"]


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    for name, content in {"text": b"PK", "empty": b"", "lzma": b"]\0\0 words", "zeros": bytes(2048)}.items():
        (tmp_path / name).write_bytes(content)
        assert kind_of(tmp_path / name) == "junk"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
@pytest.mark.parametrize("name", ["IM1.dcm.gz", "IM1", "IM1.dcm"])
def test_an_image_that_is_packed_by_itself_is_an_image_whatever_its_name(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(IMAGE + bytes(100_000)))
    ((member, header),) = read_file(tmp_path, name)
    assert (member, header.kind, header.study_uid) == (None, "image", "1.2.3.4")
    with open_file(path) as file:
        assert file.read() == IMAGE + bytes(100_000)


def test_the_old_lzma_format_is_read_too(tmp_path: Path) -> None:
    assert kinds(tmp_path, lzma.compress(IMAGE, lzma.FORMAT_ALONE)) == ["image"]


def test_a_plain_image_is_opened_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x1f\x8b\x08" + IMAGE[3:])  # a preamble may hold anything
    with open_file(tmp_path / "a") as file:
        assert file.read() == b"\x1f\x8b\x08" + IMAGE[3:]


INNER = zipped([("a.dcm", IMAGE), ("notes.txt", b"words"), ("b.gz", gzip.compress(IMAGE))])


@pytest.mark.parametrize(
    "archive",
    [
        zipped([("p1.zip", INNER), ("c.dcm", IMAGE)]),
        tar_of({"p1.zip": INNER, "c.dcm": IMAGE}),
        gzipped([tar_of({"p1.zip": INNER, "c.dcm": IMAGE})]),
        gzip.compress(zipped([("p1.zip", INNER), ("c.dcm", IMAGE)])),
        zipped([("p1", gzip.compress(INNER)), ("c.dcm", bz2.compress(IMAGE))]),
    ],
    ids=["zip in zip", "zip in tar", "zip in tar.gz", "zip in zip.gz", "zip.gz in zip"],
)
def test_archives_in_archives_are_read_and_their_members_found_again(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "cohort").write_bytes(archive)
    found = read_file(tmp_path, "cohort")
    assert [header.kind for _, header in found] == ["archive", "archive", "image", "junk", "image", "image"]
    numbers = [number for number, header in found if header.kind == "image" and number is not None]
    assert numbers[-1] == 1
    assert len(set(numbers)) == 3
    for wanted in (numbers, numbers[:1], numbers[1:2]):
        again = list(read_members(tmp_path / "cohort", frozenset(wanted)))
        assert [member.number for member in again] == wanted
        assert all(member.content == IMAGE for member in again)


def test_archives_are_opened_three_deep_and_not_deeper(tmp_path: Path) -> None:
    deep = zipped([("a.dcm", IMAGE)])
    for _ in range(2):
        deep = zipped([("inner.zip", deep)])
    assert kinds(tmp_path, deep) == ["archive", "archive", "archive", "image"]
    assert kinds(tmp_path, zipped([("inner.zip", deep), ("b.dcm", IMAGE)])) == [
        "archive",
        "archive",
        "archive",
        "archive_too_deep",
        "image",
    ]
    again_and_again = IMAGE
    for _ in range(4):
        again_and_again = gzip.compress(again_and_again)
    assert kinds(tmp_path, again_and_again) == ["archive_too_deep"]
    assert kinds(tmp_path, gzip.decompress(again_and_again)) == ["image"]


def encrypted(content: bytes) -> bytes:
    marked = bytearray(content)
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        marked[marked.index(signature) + flags] |= 1
    return bytes(marked)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (INNER[:-30], "bad_archive"),
        (INNER[:60], "bad_archive"),
        (gzipped([tar_of({"a.dcm": IMAGE + bytes(range(256)) * 400})])[:300], "bad_archive"),
        (gzip.compress(IMAGE)[:-4], "bad_archive"),
        (b"\x1f\x8b\x08 not gzip at all", "bad_archive"),
        (encrypted(INNER), "encrypted_archive"),
        (b"Rar!\x1a\x07\x01\x00", "unknown_archive"),
        (b"7z\xbc\xaf\x27\x1c", "unknown_archive"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "unknown_archive"),
        (bytes(32769) + b"CD001\1", "unknown_archive"),
        (b"MSCF" + bytes(40), "unknown_archive"),
        ((348).to_bytes(4, "little") + bytes(340) + b"n+1\0" + bytes(100), "nifti"),
        (gzip.compress((348).to_bytes(4, "little") + bytes(340) + b"n+1\0" + bytes(100)), "nifti"),
    ],
)
def test_what_may_hold_images_and_is_not_read_says_why(tmp_path: Path, content: bytes, kind: str) -> None:
    assert kinds(tmp_path, content) == [kind]
    assert kinds(tmp_path, zipped([("x", content), ("b.dcm", IMAGE)])) == ["archive", kind, "image"]


@pytest.mark.parametrize("name", ["disk.dmg", "old.arj", "cohort.zip.002", "cohort.z01", "cohort.r00"])
def test_archives_without_a_mark_are_known_by_their_names(tmp_path: Path, name: str) -> None:
    assert kinds(tmp_path, b"no mark", name) == ["unknown_archive"]


@pytest.mark.parametrize(
    "name",
    [
        "._IM1.dcm",
        "__MACOSX/IM1.dcm",
        ".AppleDouble/IM1.dcm",
        "@eaDir/IM1.dcm",
        "DICOMDIR",
        "DICOMDIR.dcm",
        "Thumbs.db",
    ],
)
def test_what_systems_leave_beside_images_is_no_damaged_image(tmp_path: Path, name: str) -> None:
    for number, content in enumerate((b"\0\5\x16\7\0\2\0\0Mac OS X        ", b"", bytes(128) + b"DICM" + b"\xff" * 40)):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        assert [header.kind for _, header in read_file(tmp_path, f"{number}/{name}")] == ["junk"]
        assert kinds(tmp_path, zipped([(name, content)])) == ["archive", "junk"]
        assert kinds(tmp_path, zipped([("p.zip", zipped([(name, content)]))])) == ["archive", "archive", "junk"]


def test_an_image_with_the_name_of_a_leftover_is_an_image(tmp_path: Path) -> None:
    (tmp_path / "__MACOSX").mkdir()
    for name in ("._IM1.dcm", "__MACOSX/IM1", "VERSION"):
        (tmp_path / name).write_bytes(IMAGE)
        assert read_file(tmp_path, name)[0][1].kind == "image"


def test_a_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MEMBER_BYTES_LIMIT", 50_000)
    bomb = IMAGE + bytes(100_000)
    for content in (zipped([("zeros", bomb)]), tar_of({"zeros": bomb}), zipped([("zeros", gzip.compress(bomb))])):
        assert kinds(tmp_path, content) == ["archive", "archive_too_large"]
        with pytest.raises(DicomError, match=r"bytes; at most .* 50000 bytes"):
            list(read_members(tmp_path / "study", frozenset({0})))
    assert kinds(tmp_path, gzip.compress(bomb)) == ["archive_too_large"]


def test_a_size_that_an_archive_lies_about_does_not_help_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", IMAGE + bytes(100_000))
    size = (100_000 + len(IMAGE)).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))
    monkeypatch.setattr(packing, "MEMBER_BYTES_LIMIT", 50_000)
    with pytest.raises(DicomError):
        list(read_members(path))


def test_all_archives_in_one_share_what_it_may_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = zipped([("zeros.dcm", bytes(30_000))])
    monkeypatch.setattr(packing, "UNPACKED_BYTES", 50_000)
    monkeypatch.setattr(packing, "PACKING_LIMIT", 0)
    found = kinds(tmp_path, zipped([("p1.zip", inner), ("p2.zip", inner), ("p3.zip", inner)]))
    assert found == ["archive", "archive", "broken", "archive_too_large", "archive_too_large"]


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tar(tmp_path / "many.tar", "w", {str(i): b"x" for i in range(5)})
    monkeypatch.setattr(packing, "MEMBER_LIMIT", 3)
    with pytest.raises(DicomError, match="at most 3 files"):
        list(read_members(path))
    inner = zipped([("a", b""), ("b", b"")])
    assert kinds(tmp_path, zipped([("p1.zip", inner), ("c", b"")])) == ["archive", "archive_too_large", "junk"]


def test_an_archive_in_an_archive_larger_than_memory_shall_hold_is_read_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scarnet_cli.dicom.archives._IN_MEMORY", 100)
    assert kinds(tmp_path, zipped([("p1.zip", INNER)])) == ["archive", "archive", "image", "junk", "image"]
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_an_archive_cut_short_is_named_so(tmp_path: Path) -> None:
    path = tar(tmp_path / "cut.tar.gz", "w:gz", {str(i): bytes(range(256)) * 40 for i in range(9)})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DicomError, match="cannot be read to its end"):
        list(read_members(path))
    assert read_file(tmp_path, "cut.tar.gz") == [(None, Header("bad_archive"))]
