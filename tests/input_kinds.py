"""Inputs as people have them, made with known truth, and what `scarnet index` makes of them: rows of docs/usage.md."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from dicom_cases.multiframe import enhanced
from dicom_series import make_series, save, stored_pixels
from exported_study import label

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.batch import read_batch
from scarnet_cli.dicom.convert_stage import convert_batch
from scarnet_cli.errors import InputError
from scarnet_cli.image.volume import Volume, read_nifti, write_nifti
from scarnet_cli.tables.parquet import read_table

Make = Callable[[Path], Path]
LIES_IN, IS = "lies in", "is"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input: where its row stands, what is found, and what makes it in a folder and returns the input."""

    table: str
    found: str
    make: Make


KINDS: list[Kind] = []


def kind(table: str, found: str) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        KINDS.append(Kind(table, found, make))
        return make

    return add


def outcome(source: Path, out: Path) -> str:
    """Index an input, convert what was found, and say in a few words what came of it; a study read is right.

    Raises:
        AssertionError: A study's volume is not the truth.
    """
    result = CliRunner().invoke(cli, ["index", str(source), "--out", str(out)])
    if isinstance(result.exception, InputError):
        return f"refused: {str(result.exception).splitlines()[0]}"
    if result.exit_code:
        assert result.exit_code == 2, result.exception
        said = " ".join(result.stderr.replace("│", " ").split())  # in a box, whose lines break a path anywhere
        return f"refused: path {said[said.index('is a link') :].rstrip('╰─╯ ')}"
    right, flags = _converted(out)
    failures = Counter(row["code"] for row in read_table(out / "failures.parquet").to_pylist())
    unread = sorted({row["reason"] for row in read_table(out / "unread.parquet").to_pylist()})
    passed = [part for part in result.stderr.strip().split("; ") if part.startswith("passed over")]
    words = [f"{right} {'study' if right == 1 else 'studies'} read"] if right else []
    words += [f"flag `{flag}`" for flag in sorted(flags)]
    words += [f"failure `{code}`" for code in failures]
    words += [f"`unread`: `{reason}`" for reason in unread]
    return "; ".join(words + passed)


def _converted(out: Path) -> tuple[int, set[str]]:
    flags: set[str] = set()
    count = 0
    for path in sorted((out / "batches").glob("*.json")):
        batch = read_batch(path)
        assert convert_batch(batch, out / "converted") == []
        for entry in batch.studies:
            image = read_nifti(out / "converted" / "studies" / entry.study_id / "image.nii.gz")
            np.testing.assert_array_equal(image.array, stored_pixels(7)[: len(image.array)])
            flags |= set(entry.flags)
            count += 1
    return count, flags


def row(one: Kind, folder: Path) -> str:
    """Return the row of a kind, made anew in a folder from what happens."""
    return f"| {one.found} | {outcome(one.make(folder / 'in'), folder / 'out')} |"


def parts() -> dict[str, str]:
    """Return the tables of the page by name."""
    rows: dict[str, list[str]] = {}
    for one in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            rows.setdefault(one.table, []).append(row(one, Path(folder)))
    heads = {LIES_IN: "| what lies in the input | what happens |", IS: "| what the input is | what happens |"}
    return {f"what it {name}": "\n".join([heads[name], "|---|---|", *lines]) + "\n" for name, lines in rows.items()}


def study(folder: Path, number: int = 1) -> list[Path]:
    """Write one study of seven slices; return its files."""
    return save(make_series(study=f"1.2.840.99.7.{number}", series=f"1.2.840.99.8.{number}"), folder)


def contents(number: int = 1) -> dict[str, bytes]:
    """Return the files of a study by name."""
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_bytes() for path in study(Path(folder), number)}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def encrypted(files: dict[str, bytes]) -> bytes:
    """Return a zip that says of its members that they are encrypted."""
    marked = bytearray(zipped(files))
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = marked.find(signature)
        while at >= 0:
            marked[at + place] |= 1
            at = marked.find(signature, at + 1)
    return bytes(marked)


def nifti(path: Path) -> Path:
    """Write the study's values as NIfTI."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(Volume(stored_pixels(7).astype(np.float32), (9.0, 1.4, 1.25), (0.0, 0.0, 0.0), np.eye(3)), path)
    return path


def renamed(rename: Callable[[str], str], pack: Callable[[bytes], bytes] = bytes) -> dict[str, bytes]:
    return {rename(name): pack(content) for name, content in contents().items()}


def beside(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a good study, and files beside its own."""
    study(folder / "p1")
    return put(folder, {f"p1/{name}": content for name, content in files.items()})


def nested(depth: int) -> bytes:
    archive = zipped(contents())
    for _ in range(depth - 1):
        archive = zipped({"inner.zip": archive})
    return archive


APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(200)
LEFTOVERS = {
    "._000.dcm": APPLE_DOUBLE,
    "__MACOSX/p1/001.dcm": APPLE_DOUBLE,
    ".DS_Store": b"\0\0\0\1Bud1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "desktop.ini": b"[.ShellClassInfo]",
    "DICOMDIR": bytes(128) + b"DICM" + b"\xff" * 40,
    "DICOMDIR.bak": bytes(128) + b"DICM",
    "VERSION": b"",
    "LOCKFILE": b"1",
}


def _packings() -> dict[str, bytes]:
    packers = (gzip.compress, bz2.compress, lzma.compress)
    names = ("{}.gz", "{}.bz2", "{}.xz")
    return {names[i % 3].format(name): packers[i % 3](content) for i, (name, content) in enumerate(contents().items())}


def _register_files() -> None:
    """Add the kinds that are a study in other clothes, or something beside one."""
    alone: dict[str, Callable[[], dict[str, bytes]]] = {
        "images with another suffix, or none (`IM1.bin`, `IM1`)": lambda: {
            **renamed(lambda name: f"p1/{name}.bin" if name < "003" else f"p1/{name[:3]}")
        },
        "images that are packed one by one with gzip, bzip2 or xz (`IM1.dcm.gz`), whatever their names": lambda: {
            f"p1/{name}": content for name, content in _packings().items()
        },
        "a zip or (compressed) tar archive": lambda: {"a.zip": zipped(contents(1)), "b.tgz": tarred(contents(2))},
        "an archive or packed images beside the same images unpacked": lambda: {
            **renamed("p1/{}".format),
            "p1.zip": zipped(contents()),
            **{f"packed/{name}": content for name, content in _packings().items()},
        },
        "packed images in an archive": lambda: {"a.zip": zipped(_packings())},
        "an archive of archives (the patients' zips in one zip or tar.gz)": lambda: {
            "a.zip": zipped({"p1.zip": zipped(contents(1)), "p2.tar": tarred(contents(2), "w")}),
            "b.tar.gz": tarred({"p3.zip": zipped(contents(3))}),
            "c.zip.gz": gzip.compress(zipped(contents(4))),
        },
        "archives in archives, three deep": lambda: {"a.zip": nested(3)},
        "archives in archives, four deep": lambda: {"a.zip": nested(4)},
        "a file that is no image but is called as one of those beside it (`IM_0007` of 0 bytes)": lambda: {
            **renamed(lambda name: f"p1/IM_0{name[:3]}"),
            "p1/IM_0007": b"",
        },
        "an encrypted archive": lambda: {**renamed("p1/{}".format), "p2/a.zip": encrypted(contents(2))},
        "an archive that is damaged or cut short": lambda: {
            **renamed("p1/{}".format),
            "p2/a.zip": zipped(contents(2))[:-60],
        },
        "a damaged archive in a good one": lambda: {
            "a.zip": zipped({"p1.zip": zipped(contents(1)), "p2.zip": zipped(contents(2))[:-60]})
        },
        "an archive that unpacks to far more than its size (a bomb)": lambda: {
            **renamed("p1/{}".format),
            "p2/a.zip": zipped({"a": bytes(300 << 20)}),
        },
        "an image of a study that is packed and damaged": lambda: {
            **renamed(lambda name: f"p1/{name}.gz", gzip.compress),
            "p1/007.dcm.gz": gzip.compress(contents()["006.dcm"])[:-40],
        },
        "the trash and other folders of a disk's own (`$RECYCLE.BIN`, `lost+found`, `.Trashes`)": lambda: {
            **renamed("p1/{}".format),
            **{f"lost+found/{name}": content for name, content in contents(2).items()},
        },
    }
    for found, files in alone.items():
        kind(LIES_IN, found)(lambda folder, files=files: put(folder, files()))
    next_to: dict[str, dict[str, bytes]] = {
        "an archive of another kind (rar, 7z, zstd, cabinet, an image of a disk) beside a study": {
            "a.rar": b"Rar!\x1a\x07\x01\0",
            "b.7z": b"7z\xbc\xaf\x27\x1c",
            "c.tar.zst": b"\x28\xb5\x2f\xfd" + bytes(40),
            "d.iso": bytes(32769) + b"CD001\1",
        },
        "what systems and discs leave beside images (`._IM1.dcm`, `__MACOSX`, `.DS_Store`, `Thumbs.db`, `desktop.ini`, "
        "a cut `DICOMDIR`, `VERSION`, `LOCKFILE`)": LEFTOVERS,
        "the same in an archive": {"leftovers.zip": zipped(LEFTOVERS)},
        "other files (text, pictures, programs)": {
            "notes.txt": b"notes",
            "a.pdf": b"%PDF-1.4",
            "viewer.exe": b"MZ\0\0",
        },
    }
    for found, files in next_to.items():
        kind(LIES_IN, found)(lambda folder, files=files: beside(folder, files))


_register_files()


@kind(LIES_IN, "NIfTI files beside DICOM")
def nifti_beside(folder: Path) -> Path:
    nifti(folder / "p1" / "image.nii.gz")
    return beside(folder, {})


@kind(LIES_IN, "segmentations and reports of this pipeline")
def own_results(folder: Path) -> Path:
    study(folder)
    label(folder, folder.with_name("work")).export().rename(folder / "results")
    return folder


@kind(IS, "a folder")
def a_folder(folder: Path) -> Path:
    study(folder)
    return folder


@kind(IS, "a zip or tar archive")
def an_archive(folder: Path) -> Path:
    return put(folder, {"cohort.zip": zipped(contents())}) / "cohort.zip"


@kind(IS, "a DICOM file with all slices (enhanced multi-frame), packed or not")
def one_multiframe_file(folder: Path) -> Path:
    (path,) = save([enhanced(make_series())], folder)
    return put(folder, {"study.dcm.gz": gzip.compress(path.read_bytes())}) / "study.dcm.gz"


@kind(IS, "a DICOM file of one slice")
def one_slice(folder: Path) -> Path:
    return study(folder)[0]


@kind(IS, "a NIfTI file")
def one_nifti(folder: Path) -> Path:
    return nifti(folder / "image.nii.gz")


@kind(IS, "a folder of NIfTI files")
def folder_of_nifti(folder: Path) -> Path:
    nifti(folder / "image.nii.gz")
    nifti(folder / "labels.nii.gz")
    return folder


@kind(IS, "a samplesheet (CSV), with commas, semicolons or tabs, as Excel and Numbers save it")
def samplesheet(folder: Path) -> Path:
    study(folder / "p1")
    nifti(folder / "p2.nii")
    put(folder, {"p3.dcm.zip": zipped(contents(3))})
    text = "study;dicom;;\r\nP1;p1;;\r\n;;;\r\nP2;p2.nii;;\r\nP3;p3.dcm.zip;;\r\n"
    return put(folder, {"sheet.csv": text.encode("utf-16")}) / "sheet.csv"


@kind(IS, "a workbook of Excel, Numbers or LibreOffice")
def workbook(folder: Path) -> Path:
    parts = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
    return put(folder, {"cohort": zipped(parts)}) / "cohort"


@kind(IS, "an archive of another kind, such as rar or 7z")
def other_archive(folder: Path) -> Path:
    return put(folder, {"cohort.rar": b"Rar!\x1a\x07\x01\0"}) / "cohort.rar"


@kind(IS, "a damaged archive")
def damaged_archive(folder: Path) -> Path:
    return put(folder, {"cohort.zip": zipped(contents())[:-60]}) / "cohort.zip"


@kind(IS, "a text that is no samplesheet")
def text(folder: Path) -> Path:
    return put(folder, {"notes.txt": b"dear all,\nthe scans are in the usual place\n"}) / "notes.txt"


@kind(IS, "a file of another kind, such as a picture")
def picture(folder: Path) -> Path:
    return put(folder, {"heart.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}) / "heart.png"


@kind(IS, "an empty folder, or one without images")
def no_images(folder: Path) -> Path:
    return put(folder, {"notes.txt": b"words"})


@kind(IS, "a pipe, socket or device")
def pipe(folder: Path) -> Path:
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


@kind(IS, "a link that leads nowhere")
def dead_link(folder: Path) -> Path:
    folder.mkdir()
    (folder / "link").symlink_to("nowhere")
    return folder / "link"
