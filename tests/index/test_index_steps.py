"""INDEX in steps: in any number of them, with kills between, it gives what one index gives, to the byte."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from dicom_series import make_series, save
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scarnet_cli.cli.main import cli
from scarnet_cli.index.files import readers
from scarnet_cli.index.files.cache import read_cache
from scarnet_cli.index.files.read_contents import ReadOptions
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.planning import Choice
from scarnet_cli.index.records import Index
from scarnet_cli.index.write_index import write_index

STUDIES = 4


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def index(source: Path, out: Path, previous: Path | None = None, options: IndexOptions | None = None) -> Index:
    found = index_input(source, read_cache([previous] if previous else []), options or IndexOptions())
    write_index(found, out, 1, 2)
    return found


def cohort(root: Path) -> Path:
    for i in range(STUDIES):
        name = "LGE_SAX_PSIR" if i else "cine_sax"  # one study that fails
        save(make_series(5, name=name, study=f"1.2.840.99.7.{i}", series=f"1.2.840.99.8.{i}"), root / f"p{i}" / "deep")
    (root / "p1" / "broken.dcm").write_bytes(b"garbage")
    (root / "p1" / "deep" / "cut.dcm").write_bytes(b"garbage")
    (root / "notes.txt").write_text("nothing")
    shutil.make_archive(str(root / "packed"), "zip", root / "p2")
    return root


CHANGES = st.lists(
    st.tuples(
        st.integers(0, STUDIES - 1), st.sampled_from(["touch", "remove", "add", "break", "mend", "rename", "zip"])
    ),
    min_size=1,
    max_size=4,
)


def change(root: Path, study: int, how: str) -> None:
    folder = root / f"p{study}" / "deep"
    paths = sorted(folder.glob("0*.dcm"))
    if how == "zip":
        shutil.make_archive(str(root / f"packed {study}"), "zip", root / f"p{study}")
    elif how == "add":
        extra = make_series(9, study=f"1.2.840.99.7.{study}", series=f"1.2.840.99.8.{study}")
        save(extra[len(paths) :][:1], folder, lambda _: f"{len(paths):03d}.dcm")
    elif how == "mend":
        (folder / "cut.dcm").unlink(missing_ok=True)
    elif not paths:
        return
    elif how == "touch":
        os.utime(paths[0], ns=(1, 1))
    elif how == "remove":
        paths[-1].unlink()
    elif how == "break":
        paths[0].write_bytes(paths[0].read_bytes()[:400])
    elif how == "rename":
        paths[0].rename(paths[0].with_name("0zz.dcm"))


@given(steps=st.lists(CHANGES, min_size=1, max_size=3))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_index_in_steps_equals_index_at_once(tmp_path: Path, steps: list[list[tuple[int, str]]]) -> None:
    shutil.rmtree(tmp_path / "in", ignore_errors=True)
    source = cohort(tmp_path / "in")
    index(source, tmp_path / "steps")
    for changes in steps:
        for study, how in changes:
            change(source, study, how)
        index(source, tmp_path / "steps", tmp_path / "steps" / "index.parquet")
    index(source, tmp_path / "once")
    assert content(tmp_path / "steps") == content(tmp_path / "once")
    shutil.rmtree(tmp_path / "once")


def test_unchanged_studies_are_not_planned_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = cohort(tmp_path / "in")
    before = index(source, tmp_path / "out")
    os.utime(source / "p3" / "deep" / "000.dcm", ns=(1, 1))
    with caplog.at_level("INFO", "scarnet_cli.index.study_plan"):
        after = index(source, tmp_path / "out", tmp_path / "out" / "index.parquet")
        planned = {study.study_id for study in after.studies if study.digest in caplog.text}
        caplog.clear()
        index(
            source,
            tmp_path / "out",
            tmp_path / "out" / "index.parquet",
            IndexOptions(choice=Choice(rules="a site's own")),
        )
        by_other_rules = {study.study_id for study in after.studies if study.digest in caplog.text}
    changed = {a.study_id for a, b in zip(after.studies, before.studies, strict=True) if a.digest != b.digest}
    beside_broken = {s.study_id for s in after.studies if s.entry and "unreadable_files" in s.entry.flags}
    assert len(changed) == 1
    assert planned == changed | beside_broken
    assert by_other_rules == {study.study_id for study in after.studies if study.entry}


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.files import read_contents

read_contents._FILES_A_PART = 4

@contextmanager
def progress(title, total=None, done=0):
    read = []

    def advance(steps=1, text=""):
        read.append(steps)
        if len(read) == 11 and total:
            os.kill(os.getpid(), signal.SIGKILL)

    yield advance

options = read_contents.ReadOptions(parts=Path(sys.argv[2]), progress=progress)
index_input(Path(sys.argv[1]), None, IndexOptions(options))
"""


def spoil(path: Path) -> None:
    """Overwrite a file with zeros and keep size and time, so that reading it again would show."""
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_was_read_before_a_kill_is_not_read_again(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for i in range(STUDIES):
        save(make_series(5, study=f"1.2.840.99.7.{i}", series=f"1.2.840.99.8.{i}"), source / f"p{i}")
    index(source, tmp_path / "once")
    killed = subprocess.run([sys.executable, "-c", KILLED, source, tmp_path / "out" / "parts"], check=False)
    assert killed.returncode == -signal.SIGKILL
    # Two parts of four were written. The second study was cut in two: whether all its files are of one patient is
    # seen in one reading, so what is known of it is read again.
    read_then = sorted(source.rglob("*.dcm"))[:5]
    for path in read_then:
        spoil(path)
    result = CliRunner().invoke(
        cli, ["index", str(source), "--out", str(tmp_path / "out"), "--batch-min", "1", "--batch-max", "2"]
    )
    assert result.exit_code == 0, result.output
    assert content(tmp_path / "out") == content(tmp_path / "once")  # and no part is left


def test_a_part_that_was_cut_short_is_read_again(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "000001.parquet").write_bytes(b"PAR1 cut short")
    index(source, tmp_path / "once")
    index(source, tmp_path / "out", options=IndexOptions(ReadOptions(parts=tmp_path / "parts")))
    assert content(tmp_path / "out") == content(tmp_path / "once")


def test_the_number_of_processes_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = cohort(tmp_path / "in")
    index(source, tmp_path / "one")
    monkeypatch.setattr(readers, "_FILES_A_PROCESS", 1)
    monkeypatch.setattr(readers, "_PORTION", 3)
    index(source, tmp_path / "two", options=IndexOptions(ReadOptions(jobs=2)))
    assert content(tmp_path / "two") == content(tmp_path / "one")


def test_a_worker_imports_no_pydicom_until_a_file_needs_it(tmp_path: Path) -> None:
    (path,) = save(make_series(1), tmp_path)
    code = (
        "import sys; from pathlib import Path; from scarnet_cli.index.files.read_files import read_file\n"
        f"(place, header), = read_file(Path({str(tmp_path)!r}), {path.name!r})\n"
        "print(header.kind, {'pydicom', 'numpy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "image set()\n"


def test_a_samplesheet_of_many_rows_is_taken_over_row_by_row(tmp_path: Path) -> None:
    cohort(tmp_path)
    rows = [f"S{i:03d},p{1 + i % 3},{i}" for i in range(120)]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("study,dicom,patient\n" + "\n".join(rows))
    first = index(sheet, tmp_path / "out")
    sheet.write_text("study,dicom,patient\n" + "\n".join([*rows[:50], "S050,p0,changed", *rows[51:]]))
    second = index(sheet, tmp_path / "out", tmp_path / "out" / "index.parquet")
    assert [s.study_id for s in second.studies if s.digest != first.studies[50].digest][:2] == ["S000", "S001"]
    assert {a.study_id for a, b in zip(first.studies, second.studies, strict=True) if a != b} == {"S050"}
    assert second.studies[50].failure is not None
    index(sheet, tmp_path / "once")
    assert content(tmp_path / "out") == content(tmp_path / "once")
