"""Studies in a bucket of a real S3 server end as the same files in a folder do, and its faults are told apart."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bucket_server import BUCKET, OWNER, PARTLY, STRANGER, BucketServer, bucket_server_in, use
from click.testing import CliRunner
from input_kinds import contents, nifti, put, tarred, zipped

from scarnet_cli.buckets.place import place_of
from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.batch import read_batch
from scarnet_cli.dicom.convert_stage import convert_batch
from scarnet_cli.errors import AccessError, InputError, MachineError
from scarnet_cli.files import read_json
from scarnet_cli.index.files.cache import read_cache
from scarnet_cli.index.files.read_contents import ReadOptions
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.records import Index
from scarnet_cli.index.write_index import write_index
from scarnet_cli.progress import Advance
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import read_rows


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with bucket_server_in(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(autouse=True)
def login(server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.login())


@pytest.fixture
def cohort(tmp_path: Path, server: BucketServer) -> Iterator[Path]:
    """Two studies in folders, one in a zip archive and one in a packed tar; below `in` in the bucket too."""
    folder = tmp_path / "in"
    for number in (1, 2):
        put(folder / f"p{number}" / "series é", contents(number))
    put(folder, {"p3.zip": zipped(contents(3)), "deep/p4.tar.gz": tarred(contents(4))})
    put(folder, {"notes.txt": b"words", "p1/cut.dcm": contents(1)["000.dcm"][:600], "lost+found/x.dcm": b"x"})
    server.upload(folder, "in")
    yield folder
    server.files().delete_dir(f"{BUCKET}/in")


def index(source: object, memory: Path | None = None, read: ReadOptions | None = None) -> Index:
    known = read_cache([memory]) if memory else None
    return index_input(place_of(str(source)), known, IndexOptions(read or ReadOptions()))


def written(found: Index, out: Path) -> dict[str, bytes]:
    """Write an index and convert its studies; return all files, the batches without their root."""
    paths = write_index(found, out / "index", len(found.studies))
    for path in paths:
        convert_batch(read_batch(path), out)
    batches = [read_json(path) for path in paths]
    kept = ("index/*.parquet", "studies/*/*")
    files = {path.relative_to(out).as_posix(): path.read_bytes() for pattern in kept for path in out.glob(pattern)}
    failures = read_rows(Failure, out / "failures.parquet")
    return files | {
        "batches": str([batch["studies"] for batch in batches]).encode(),
        "failures": str(failures).encode(),
    }


def test_tables_memory_digests_and_images_are_those_of_the_folder(cohort: Path, tmp_path: Path) -> None:
    of_folder = written(index(cohort), tmp_path / "folder")
    of_bucket = written(index(f"s3://{BUCKET}/in"), tmp_path / "bucket")
    assert len([name for name in of_bucket if name.endswith("image.nii.gz")]) == 4
    assert of_bucket == of_folder


def test_what_the_last_index_read_is_not_read_again(cohort: Path, tmp_path: Path) -> None:
    write_index(index(cohort), tmp_path)  # the folder's memory serves the bucket: same keys, sizes and times
    totals: list[int | None] = []

    @contextmanager
    def progress(title: str, total: int | None = None, done: int = 0) -> Iterator[Advance]:
        totals.extend([total] * (title == "files read"))
        yield lambda steps=1, text="": None

    found = index(f"s3://{BUCKET}/in", tmp_path / "index.parquet", ReadOptions(progress=progress))
    assert totals == [1]  # the damaged file, which may have been mended
    assert len(found.studies) == 4


def test_a_samplesheet_names_objects_and_lies_in_a_bucket_itself(
    cohort: Path, server: BucketServer, tmp_path: Path
) -> None:
    nifti(cohort / "p5.nii.gz")
    nifti(cohort / "p6.nii")
    rows = [("A", "p1"), ("B", "p3.zip"), ("C", "p5.nii.gz"), ("D", "p6.nii")]
    (cohort / "sheet.csv").write_text("study,dicom\n" + "".join(f"{study},{path}\n" for study, path in rows))
    address = server.upload(cohort, "in")
    of_folder = written(index(cohort / "sheet.csv"), tmp_path / "folder")
    of_bucket = written(index(f"{address}/sheet.csv"), tmp_path / "bucket")
    # the memory and the batches hold paths or their keys, which are absolute for a NIfTI file
    tables = [name for name in of_folder if name not in ("batches", "index/index.parquet")]
    assert {name: of_bucket[name] for name in tables} == {name: of_folder[name] for name in tables}
    mixed = "study,dicom\n" + "".join(f"{study},{address}/{path}\n" for study, path in rows[:-1]) + "D,in/p6.nii\n"
    (tmp_path / "mixed.csv").write_text(mixed)
    from_here = written(index(tmp_path / "mixed.csv"), tmp_path / "mixed")
    for name in (name for name in of_folder if name.endswith("image.nii.gz")):
        assert from_here[name] == of_folder[name]


def test_objects_that_a_samplesheet_names_in_vain_are_told_together(cohort: Path, tmp_path: Path) -> None:
    del cohort
    sheet = tmp_path / "sheet.csv"
    lines = ["study,dicom,reference", f"A,s3://{BUCKET}/in/none,", f"B,s3://{BUCKET}/in/p1,s3://{BUCKET}/in/p2"]
    sheet.write_text("\n".join([*lines, f"C,s3://{BUCKET}/in/p2,"]) + "\n")
    with pytest.raises(InputError) as caught:
        index(sheet)
    assert str(caught.value).splitlines()[1:] == [
        "  line 2: its dicom does not exist",
        "  line 3: its reference is not a file",
    ]


def next_second() -> None:
    """Wait until an object that is written has another time: a store's have whole seconds."""
    time.sleep(1.05 - time.time() % 1)


def test_a_replaced_object_changes_its_study_and_stops_the_conversion_of_the_old_one(
    cohort: Path, server: BucketServer, tmp_path: Path
) -> None:
    address = f"s3://{BUCKET}/in"
    before = index(address)
    path = cohort / "p2" / "series é" / "003.dcm"
    next_second()
    server.put("in/p2/series é/003.dcm", path.read_bytes())  # the same bytes, as nothing but the time tells
    after = index(address)
    changed = [a.study_id for a, b in zip(before.studies, after.studies, strict=True) if a.digest != b.digest]
    assert changed == [index(cohort / "p2").studies[0].study_id]
    with pytest.raises(MachineError, match=r"input changed .*: file 4 of 7 of a study was written again"):
        convert_batch(before.batch, tmp_path / "out")
    assert convert_batch(after.batch, tmp_path / "again") == []


def test_a_removed_object_stops_the_conversion(cohort: Path, server: BucketServer, tmp_path: Path) -> None:
    del cohort
    found = index(f"s3://{BUCKET}/in")
    server.files().delete_file(f"{BUCKET}/in/p1/series é/000.dcm")
    with pytest.raises(MachineError, match=r"input changed .*: file 1 of 7 of a study is gone") as caught:
        convert_batch(found.batch, tmp_path / "out")
    assert caught.value.exit_code == 75


def test_an_object_that_alone_is_denied_is_a_file_that_cannot_be_read(
    cohort: Path, server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cohort
    use(monkeypatch, server.login(PARTLY))
    found = index(f"s3://{BUCKET}/in")
    assert found.counts["unreadable"] == 10
    assert {study.failure.code for study in found.studies if study.failure} == {"not_readable"}
    assert sum(study.failure is None for study in found.studies) == 1


@pytest.mark.parametrize(
    ("address", "who", "code", "words"),
    [
        (f"s3://{BUCKET}/in", STRANGER, "bucket_denied", "may not list and read it"),
        (f"s3://{BUCKET}/in", "NOBODY", "bucket_denied", "are wrong, have expired"),
        (f"s3://{BUCKET}/in", None, "no_credentials", "there are no credentials: export AWS_ACCESS_KEY_ID"),
        ("s3://nowhere/in", OWNER, "no_bucket", "There is no bucket 'nowhere'"),
    ],
)
def test_a_bucket_that_denies_or_is_none_is_told_and_not_tried_again(
    server: BucketServer, monkeypatch: pytest.MonkeyPatch, address: str, who: str | None, code: str, words: str
) -> None:
    use(monkeypatch, server.login(who) if who else {"AWS_ENDPOINT_URL": f"http://{server.endpoint}"})
    with pytest.raises(AccessError, match=words) as caught:
        index(address)
    assert (caught.value.code, caught.value.exit_code) == (code, 1)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://nowhere/in", "There is no bucket 'nowhere' on 127.0.0.1:"),
        (f"s3://{BUCKET}/none", f"Invalid value for INPUT: Path 's3://{BUCKET}/none' does not exist."),
        ("s3://A:B@bucket/in", "The address holds a user name or a password"),
        ("ftp://host/in", "Studies are not read from an address 'ftp://'"),
    ],
)
def test_the_workflow_gets_the_message_about_a_wrong_address_in_a_file(
    server: BucketServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, words: str
) -> None:
    use(monkeypatch, server.login(OWNER))
    problem = tmp_path / "problem.txt"
    options = ["index", "--problem", str(problem), address, "--out", str(tmp_path / "out"), "--will-retry"]
    assert CliRunner().invoke(cli, options).exit_code == 0
    assert problem.read_text().startswith(words)


def test_a_server_killed_half_way_is_a_fault_and_the_next_attempt_goes_on(server: BucketServer, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", {f"s/{n:03}.dcm": contents(1)["000.dcm"] for n in range(200)})
    put(folder / "t", contents(2))
    address = server.upload(folder, "killed")
    parts = tmp_path / "parts"

    @contextmanager
    def kills_it(title: str, total: int | None = None, done: int = 0) -> Iterator[Advance]:
        del total, done
        yield lambda steps=1, text="": server.kill() if title == "files read" else None

    with pytest.raises(MachineError, match="does not answer") as caught:
        index(address, read=ReadOptions(parts=parts, progress=kills_it))
    assert (caught.value.code, caught.value.exit_code) == ("bucket_away", 75)
    assert list(parts.glob("*.parquet"))
    server.start()
    found = index(address, read=ReadOptions(parts=parts))
    write_index(found, tmp_path / "bucket")
    write_index(index(folder), tmp_path / "folder")
    for table in ("studies", "series", "failures", "unread"):
        name = f"{table}.parquet"
        assert (tmp_path / "bucket" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()
    server.kill()
    with pytest.raises(MachineError, match="does not answer") as caught:
        convert_batch(found.batch, tmp_path / "out")
    assert caught.value.exit_code == 75
    shutil.rmtree(folder)
    server.start()
