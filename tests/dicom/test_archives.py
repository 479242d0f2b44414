"""Archives: read in memory, bounded, and never trusted."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from scarnet_cli.dicom import archives
from scarnet_cli.dicom.archives import is_archive, read_members
from scarnet_cli.dicom.headers import BROKEN, Header
from scarnet_cli.dicom.index.read_files import read_file
from scarnet_cli.errors import DicomError


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


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_members_come_by_place_whatever_their_names_say(tmp_path: Path, mode: str) -> None:
    path = tar(tmp_path / "study", mode, {"../a.dcm": b"one", "/abs/b": b"two", "c.txt": b"three"})
    assert is_archive(path)
    assert list(read_members(path)) == [(0, ".dcm", b"one"), (1, "", b"two"), (2, ".txt", b"three")]
    assert list(read_members(path, frozenset({1}))) == [(1, "", b"two")]
    assert [p.name for p in tmp_path.iterdir()] == ["study"]


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    for name, content in {"gz": b"\x1f\x8b\x08 not a tar", "text": b"PK", "empty": b""}.items():
        (tmp_path / name).write_bytes(content)
        assert not is_archive(tmp_path / name)


def test_a_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000))
    monkeypatch.setattr(archives, "MEMBER_BYTES_LIMIT", 50_000)
    with pytest.raises(DicomError, match=r"100000 bytes; at most .* 50000 bytes"):
        list(read_members(path))


def test_a_size_that_an_archive_lies_about_does_not_help_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000))
    size = (100_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))
    monkeypatch.setattr(archives, "MEMBER_BYTES_LIMIT", 50_000)
    with pytest.raises(DicomError):
        list(read_members(path))


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tar(tmp_path / "many.tar", "w", {str(i): b"x" for i in range(5)})
    monkeypatch.setattr(archives, "MEMBER_LIMIT", 3)
    with pytest.raises(DicomError, match="at most 3 files"):
        list(read_members(path))


def test_an_archive_cut_short_is_a_broken_file(tmp_path: Path) -> None:
    path = tar(tmp_path / "cut.tar.gz", "w:gz", {str(i): bytes(range(256)) * 40 for i in range(9)})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DicomError, match="cannot be read to its end"):
        list(read_members(path))
    assert read_file(tmp_path, "cut.tar.gz") == [(None, Header(BROKEN))]
