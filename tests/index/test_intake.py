"""INDEX: every study is seen, unchanged files are not read, and what changed shows in one digest."""

import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest
from dicom_series import make_series, save

from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.index.files.cache import read_cache, write_cache
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.records import Index
from scarnet_cli.index.write_index import write_index
from scarnet_cli.tables.parquet import read_table


def index(source: Path, memory: pa.Table | None = None) -> Index:
    return index_input(source, memory, IndexOptions())


def cohort(root: Path, studies: int = 3) -> Path:
    for i in range(studies):
        save(make_series(study=f"1.2.840.99.7.{i}", series=f"1.2.840.99.8.{i}"), root / f"patient {i}" / "deep")
    return root


def test_studies_are_named_by_a_hash_of_their_uid(tmp_path: Path) -> None:
    found = index(cohort(tmp_path))
    assert [s.study_id for s in found.studies] == sorted(study_id_from_uid(f"1.2.840.99.7.{i}") for i in range(3))
    assert all(s.failure is None for s in found.studies)


def test_files_that_are_no_dicom_are_counted_and_do_no_harm(tmp_path: Path) -> None:
    cohort(tmp_path, 1)
    (tmp_path / "patient 0" / "deep" / "notes.txt").write_text("a note")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 ...")
    (tmp_path / "empty").touch()
    found = index(tmp_path)
    assert len(found.studies) == 1
    assert found.counts == {"image": 7, "junk": 3}


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    cohort(tmp_path / "in")
    before = index(tmp_path / "in")
    write_cache(before.memory, tmp_path / "index.parquet")
    for path in (tmp_path / "in").rglob("*.dcm"):
        status = path.stat()
        path.write_bytes(bytes(status.st_size))  # garbage of the same size and time: reading it would show
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = index(tmp_path / "in", read_cache([tmp_path / "index.parquet"]))
    assert after.studies == before.studies
    write_cache(after.memory, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "index.parquet").read_bytes()
    with_nothing_remembered = index(tmp_path / "in")
    assert {s.failure.code for s in with_nothing_remembered.studies if s.failure} == {"not_readable"}


def test_a_changed_file_changes_the_digest_of_its_study_alone(tmp_path: Path) -> None:
    cohort(tmp_path)
    before = {s.study_id: s.digest for s in index(tmp_path).studies}
    changed = tmp_path / "patient 1" / "deep" / "003.dcm"
    os.utime(changed, ns=(1, 1))
    after = {s.study_id: s.digest for s in index(tmp_path).studies}
    assert {i for i in after if after[i] != before[i]} == {study_id_from_uid("1.2.840.99.7.1")}


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    cohort(tmp_path, 1)
    before = index(tmp_path)
    series = make_series(study="1.2.840.99.7.0", series="1.2.840.99.8.0", name="cine_sax")
    for path in save(series, tmp_path / "patient 0" / "deep"):
        os.utime(path, ns=(5, 5))
    (study,) = index(tmp_path, before.memory).studies
    assert study.failure is not None
    assert study.failure.code == "no_lge_stack"


def test_an_unchanged_archive_is_not_opened_again(tmp_path: Path) -> None:
    cohort(tmp_path / "loose", 2)
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "cohort.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(tmp_path / "loose", "all")
    before = index(tmp_path / "in")
    assert len(before.studies) == 2
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert index(tmp_path / "in", before.memory).studies == before.studies


def test_cache_holds_no_path_name_or_date(tmp_path: Path) -> None:
    cohort(tmp_path / "in", 1)
    write_cache(index(tmp_path / "in").memory, tmp_path / "index.parquet")
    content = (tmp_path / "index.parquet").read_bytes()
    table = str(read_table(tmp_path / "index.parquet").to_pylist())
    for secret in ("Secret", "19440229", "20210304", "patient 0", "000.dcm"):
        assert secret not in table
        assert secret.encode() not in content


def test_a_damaged_cache_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "index.parquet").write_bytes(b"not parquet")
    assert len(read_cache([tmp_path / "index.parquet"])) == 0


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no DICOM image: 0 files"):
        index(tmp_path)


def test_broken_files_that_lie_alone_are_a_study_of_their_own(tmp_path: Path) -> None:
    cohort(tmp_path, 1)
    (tmp_path / "broken.dcm").write_bytes(b"\x00" * 128 + b"DICM" + b"\xff" * 40)
    (tmp_path / "lost").mkdir()
    for i in range(3):
        (tmp_path / "lost" / f"{i}.dcm").write_bytes(b"garbage")
    failures = {s.study_id: s.failure for s in index(tmp_path).studies if s.failure}
    assert set(failures) == {path_key("broken.dcm")[:16], path_key("lost")[:16]}
    assert {f.code for f in failures.values()} == {"not_readable"}
    assert failures[path_key("lost")[:16]].message.startswith("3 files")


def test_a_study_cut_short_everywhere_fails_and_says_so(tmp_path: Path) -> None:
    cohort(tmp_path, 2)
    for path in (tmp_path / "patient 0").rglob("*.dcm"):
        path.write_bytes(path.read_bytes()[:700])
    failed = [s for s in index(tmp_path).studies if s.failure]
    assert len(failed) == 1
    assert failed[0].failure is not None
    assert failed[0].failure.code == "not_readable"


def test_links_in_a_loop_end(tmp_path: Path) -> None:
    cohort(tmp_path, 1)
    (tmp_path / "patient 0" / "again").symlink_to(tmp_path)
    assert len(index(tmp_path).studies) == 1
    assert index(tmp_path).counts["image"] == 7


def test_samplesheet_names_its_studies_and_carries_its_columns(tmp_path: Path) -> None:
    cohort(tmp_path / "data", 2)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("study,dicom,patient,rv_insertion\nA,data/patient 0,X,1 2 3\nB,data/patient 1,,\n")
    first, second = index(sheet).studies
    assert first.entry is not None
    assert second.entry is not None
    assert (first.study_id, first.labels.patient, first.entry.rv_insertion) == ("A", "X", (1.0, 2.0, 3.0))
    assert first.entry.study_instance_uid == "1.2.840.99.7.0"
    assert second.entry.rv_insertion is None
    sheet.write_text("study,dicom,patient,rv_insertion\nA,data/patient 0,X,1 2 4\nB,data/patient 1,,\n")
    changed, same = index(sheet).studies
    assert changed.digest != first.digest
    assert same.digest == second.digest


def test_two_rows_of_the_same_pictures_are_flagged_until_one_is_mended(tmp_path: Path) -> None:
    cohort(tmp_path / "data", 2)
    (tmp_path / "c.nii.gz").touch()
    sheet = tmp_path / "sheet.csv"
    rows = "study,dicom\nA,data/patient 0\nC,c.nii.gz\nD,./c.nii.gz\nB,data/patient "
    flags, digests = [], []
    for of_b in (0, 1):
        sheet.write_text(f"{rows}{of_b}\n")
        studies = index(sheet).studies
        flags.append([study.entry.flags for study in studies if study.entry])
        digests.append(studies[0].digest)
    twice = ("counted_twice",)
    assert flags == [[twice] * 4, [(), (), twice, twice]]
    assert digests[0] != digests[1]


def test_labels_are_in_the_studies_table_and_a_changed_one_redoes_no_batch(tmp_path: Path) -> None:
    cohort(tmp_path / "data", 1)
    sheet = tmp_path / "sheet.csv"
    batches = []
    for group, age in (("drug", 63), ("placebo", 64)):
        rows = f"A,data/patient 0,X,Ålesund,{group},,{age}\nB,data,,,b,2,\n"
        sheet.write_text(f"study,dicom,patient,site,group,visit,age\n{rows}")
        (batch,) = write_index(index(sheet), tmp_path / group, 1, 9)
        batches.append(batch.read_bytes())
        a, b = read_table(tmp_path / group / "studies.parquet").to_pylist()
        assert [a[name] for name in ("patient", "site", "group", "visit")] == ["X", "Ålesund", group, None]
        assert [b[name] for name in ("patient", "site", "group", "visit")] == [None, None, "b", "2"]
        assert (a["samplesheet.age"], b["samplesheet.age"]) == (age, None)
    assert batches[0] == batches[1]


def test_a_changed_reference_changes_the_digest_of_its_study_alone(tmp_path: Path) -> None:
    cohort(tmp_path / "data", 2)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("study,dicom,reference\nA,data/patient 0,a.nii.gz\nB,data/patient 1,b.nii.gz\n")
    digests = []
    for size in (1, 2):
        (tmp_path / "a.nii.gz").write_bytes(bytes(size))
        if size == 1:
            (tmp_path / "b.nii.gz").write_bytes(bytes(1))
        digests.append([study.digest for study in index(sheet).studies])
    assert digests[0][0] != digests[1][0]
    assert digests[0][1] == digests[1][1]


def test_samplesheet_rows_without_one_study_fail_alone(tmp_path: Path) -> None:
    cohort(tmp_path / "data", 2)
    (tmp_path / "none").mkdir()
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("study,dicom\nboth,data\nempty,none\ngood,data/patient 1\n")
    found = {s.study_id: s.failure.code if s.failure else None for s in index(sheet).studies}
    assert found == {"both": "several_studies", "empty": "no_dicom", "good": None}


def test_plan_is_the_same_to_the_byte_when_nothing_changed(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in", 5)
    first = write_index(index(source), tmp_path / "a", 1, 2)
    second = write_index(index(source, read_cache([tmp_path / "a" / "index.parquet"])), tmp_path / "b", 1, 2)
    assert [p.name for p in first] == [p.name for p in second]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_every_study_is_in_the_studies_table_with_its_batch(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in", 3)
    (source / "broken.dcm").write_bytes(b"garbage")
    paths = write_index(index(source), tmp_path / "out", 1, 2)
    rows = read_table(tmp_path / "out" / "studies.parquet").to_pylist()
    assert len(rows) == 4
    assert {row["batch"] for row in rows if row["batch"]} == {path.stem for path in paths}
    (failure,) = read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert failure["stage"] == "index"
    assert [row["batch"] for row in rows if row["study_id"] == failure["study_id"]] == [None]
    chosen = [row["chosen"] for row in read_table(tmp_path / "out" / "series.parquet").to_pylist()]
    assert chosen == [True, True, True]


def test_batches_of_an_earlier_index_do_not_stay(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in", 3)
    write_index(index(source), tmp_path / "out", 1, 1)
    paths = write_index(index(source), tmp_path / "out", 3, 3)
    assert set((tmp_path / "out" / "batches").iterdir()) == set(paths)
