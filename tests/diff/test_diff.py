"""Two runs compared: known changes are found, and odd tables are read or refused in one sentence."""

import csv
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from html_tags import Tags
from made_cohort import METADATA, made_scans, write_tables

from scarnet_cli.cli.diff import diff
from scarnet_cli.diff.diff import diff_runs
from scarnet_cli.errors import CohortError, InputError
from scarnet_cli.files import write_json
from scarnet_cli.tables.csv import write_csv
from scarnet_cli.tables.parquet import read_table
from scarnet_cli.tables.schema import TABLES

RELEASED = Path(__file__).parents[1] / "tables" / "released" / "v1"
FAILED = {"stage": "convert", "code": "bad_pixels", "message": "It is broken; send it again."}


def scan(study_id: str, **cells: object) -> dict[str, Any]:
    return {"study_id": study_id, "model": "unet", "model_sha256": "ab" * 32, **cells}


def make_run(folder: Path, scans: Sequence[dict[str, Any]], failed: Sequence[str] = (), **parameters: object) -> Path:
    """Write OUT/tables and OUT/pipeline_info of a run."""
    write_tables(folder / "tables", scans, failures=[{"study_id": study_id, **FAILED} for study_id in failed])
    write_json(folder / "pipeline_info" / "parameters.json", {"outdir": folder.name, "fast": False, **parameters})
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs that differ in one of each."""
    old = make_run(
        tmp_path / "old",
        [
            scan("same", scar_percent_lv=10.0, scar_ml=10.0, flags=["no_remote"]),
            scan("within", scar_percent_lv=10.0, scar_ml=100.0),
            scan("moved", scar_percent_lv=10.0, scar_ml=10.0, flags=["slice_gap", "no_remote"], group="drug"),
            scan("undefined", scar_percent_lv=3.0),
            scan("gone", scar_percent_lv=3.0),
            scan("fails", scar_percent_lv=3.0),
        ],
        ["mended", "other"],
    )
    other = {"model_sha256": "cd" * 32}
    new = make_run(
        tmp_path / "new",
        [
            scan("same", scar_percent_lv=10.0, scar_ml=10.0, flags=["no_remote"], **other),
            scan("within", scar_percent_lv=11.0, scar_ml=102.0, **other),
            scan("moved", scar_percent_lv=14.5, scar_ml=10.5, flags=["no_remote", "few_slices"], group="pill", **other),
            scan("undefined", **other),
            scan("mended", scar_percent_lv=3.0, **other),
            scan("here", scar_percent_lv=3.0, **other),
        ],
        ["fails", "other"],
        fast=True,
        weights="/data/Doe_Jane/mine.safetensors",
    )
    return old, new


def run(*words: object) -> Result:
    return CliRunner().invoke(diff, [str(word) for word in words], catch_exceptions=False)


def changes(out: Path) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in read_table(out / "changes.parquet").to_pylist()]


def test_each_change_is_a_row(runs: tuple[Path, Path], tmp_path: Path) -> None:
    found = diff_runs(*runs, tmp_path / "out")
    none = (None, None, None)
    assert changes(tmp_path / "out") == [
        ("fails", "failed", None, *none, "measured", "convert: bad_pixels"),
        ("gone", "vanished", None, *none, "measured", None),
        ("here", "appeared", None, *none, None, "measured"),
        ("mended", "measured", None, *none, "convert: bad_pixels", "measured"),
        ("moved", "dropped", "flags", *none, "slice_gap", None),
        ("moved", "raised", "flags", *none, None, "few_slices"),
        ("moved", "value", "group", *none, "drug", "pill"),
        ("moved", "value", "scar_percent_lv", 10.0, 14.5, 4.5, None, None),
        ("undefined", "value", "scar_percent_lv", 3.0, None, None, None, None),
    ]
    assert read_table(tmp_path / "out" / "changes.parquet").schema.equals(TABLES["changes"])
    assert (found.counts["both"], found.counts["changed"], found.changed) == (4, 2, 6)
    assert [study.study_id for study in found.studies] == ["undefined", "moved"]


def test_settings_that_differ_are_named_without_folders(runs: tuple[Path, Path]) -> None:
    settings = [(setting.name, setting.old, setting.new) for setting in diff_runs(*runs).settings]
    digests = ("model_sha256", "ab" * 6, "cd" * 6)
    assert settings == [digests, ("--fast", "no", "yes"), ("--weights", "\N{EN DASH}", "mine.safetensors")]


def test_a_label_map_that_no_model_made_changes_no_setting_of_the_others(tmp_path: Path) -> None:
    corrected = scan("b", labels_source="corrected", model=None, model_sha256=None)
    runs = [make_run(tmp_path / name, [scan("a"), second]) for name, second in (("old", scan("b")), ("new", corrected))]
    assert diff_runs(runs[0], runs[1]).settings == ()
    all_corrected = make_run(tmp_path / "all", [{**corrected, "study_id": name} for name in "ab"])
    assert [(setting.name, setting.new) for setting in diff_runs(runs[0], all_corrected).settings] == [
        ("model", "\N{EN DASH}"),
        ("model_sha256", "\N{EN DASH}"),
    ]


def test_a_tolerance_of_a_column_goes_before_its_units_and_that_before_the_one_for_all(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    given = ("0", "ml=1%", "scar_percent_lv=4")
    diff_runs(*runs, tmp_path / "out", given)
    values = [(row[0], row[2]) for row in changes(tmp_path / "out") if row[1] == "value" and row[2] != "group"]
    # 100 to 102 ml and 10 to 10.5 ml are both more than 1 % of the larger.
    expected = [("moved", "scar_ml"), ("moved", "scar_percent_lv"), ("undefined", "scar_percent_lv")]
    assert values == [*expected, ("within", "scar_ml")]
    with_all = diff_runs(*runs, None, ["0"])
    assert {column.column: column.changed for column in with_all.columns} == {"scar_percent_lv": 3, "scar_ml": 2}


@pytest.mark.parametrize("given", ["x", "-1", "nan", "inf", "%", "=1", "scar=1", "flags=1", "ml=", "ml=1%%", "a=b=1"])
def test_a_tolerance_that_is_none_is_refused(runs: tuple[Path, Path], given: str) -> None:
    with pytest.raises(InputError, match="--tolerance"):
        diff_runs(*runs, None, [given])


def test_the_same_folder_twice_has_not_changed(runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = run(runs[0], runs[0] / "tables", "--out", tmp_path / "out", "--fail-on-change")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:2] == [
        "8 studies before, 8 now; 6 measured in both, 0 of them changed.",
        "Nothing changed.",
    ]
    assert changes(tmp_path / "out") == []


def test_ci_may_ask_for_an_exit_code(runs: tuple[Path, Path]) -> None:
    assert run(*runs).exit_code == 0
    done = run(*runs, "--fail-on-change")
    assert done.exit_code == 1
    assert done.stderr == "Error: 6 studies differ (--fail-on-change).\n"


def test_the_terminal_gets_the_largest_changes_first(runs: tuple[Path, Path]) -> None:
    assert run(*runs).stdout.splitlines() == [
        "8 studies before, 8 now; 4 measured in both, 2 of them changed.",
        "Otherwise: 1 measured before, failed now; 1 failed before, measured now; 1 appeared; 1 vanished.",
        f"In between: model_sha256 {'ab' * 6} -> {'cd' * 6}",
        "In between: --fast no -> yes",
        "In between: --weights \N{EN DASH} -> mine.safetensors",
        "  scar_percent_lv: 2 of 4 beyond 1 point; mean +1.83, largest +4.50 (moved)",
        "  text: group in 1",
        "  flags: few_slices +1 -0, slice_gap +0 -1",
        "  moved: scar_percent_lv 10.0 -> 14.5",
    ]


def test_csv_alone_says_the_same_as_parquet_and_csv_is_written_too(runs: tuple[Path, Path], tmp_path: Path) -> None:
    diff_runs(*runs, tmp_path / "parquet")
    for folder in runs:
        for table in (folder / "tables").glob("*.parquet"):
            write_csv(table)
            table.unlink()
    done = run(*runs, "--out", tmp_path / "csv", "--format", "csv")
    assert changes(tmp_path / "csv") == changes(tmp_path / "parquet")
    assert "In between: model_sha256" in done.stdout
    with (tmp_path / "csv" / "changes.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 9


def test_a_column_that_one_run_lacks_is_left_out_and_named(tmp_path: Path) -> None:
    old, new = (make_run(tmp_path / name, [scan("a", scar_percent_lv=3.0, core_percent_lv=2.0)]) for name in "on")
    path = old / "tables" / "scans.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["core_percent_lv", "flags"]), path)
    found = diff_runs(old, new, tmp_path / "out")
    assert found.left_out == ("core_percent_lv", "flags")
    assert found.changed == 0
    assert "Only one of the runs has these columns" in (tmp_path / "out" / "index.html").read_text()


def test_tables_of_the_first_release_are_compared_with_todays(tmp_path: Path) -> None:
    today = tmp_path / "today"
    today.mkdir()
    for name in ("scans", "failures"):
        shutil.copy(RELEASED / f"{name}.parquet", today)
    table = read_table(today / "scans.parquet")
    pq.write_table(table, today / "scans.parquet")
    assert diff_runs(RELEASED, today).changed == 0


@pytest.mark.parametrize(("old", "new"), [((), ()), ((), ("a",)), (("a",), ())])
def test_empty_cohorts_are_compared(tmp_path: Path, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    before, after = (make_run(tmp_path / name, [scan(s) for s in ids]) for name, ids in (("old", old), ("new", new)))
    found = diff_runs(before, after, tmp_path / "out")
    assert found.changed == len(old) + len(new)
    assert found.figures == ()
    assert (tmp_path / "out" / "index.html").exists()


def test_numbers_that_are_not_finite_leave_the_page_whole(tmp_path: Path) -> None:
    odd = {"old": [1.0, math.nan, math.inf, 5.0], "new": [math.nan, math.nan, -1e308, 1e308]}
    for name, values in odd.items():
        folder = make_run(tmp_path / name, [scan(f"s{n}", scar_percent_lv=1.0) for n in range(4)])
        path = folder / "tables" / "scans.parquet"
        table = pq.read_table(path)
        place = table.schema.get_field_index("scar_percent_lv")
        pq.write_table(table.set_column(place, "scar_percent_lv", pa.array(values)), path)
    found = diff_runs(tmp_path / "old", tmp_path / "new", tmp_path / "out")
    assert found.counts["changed"] == 3
    page = (tmp_path / "out" / "index.html").read_text()
    assert "nan" not in page.partition("<svg")[2]


def test_markup_and_control_characters_in_tables_are_shown_as_text(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>\x1b[2J"
    old = make_run(tmp_path / "old", [scan(evil, scar_percent_lv=1.0)], fast=evil)
    new = make_run(tmp_path / "new", [scan(evil, scar_percent_lv=9.0, flags=[evil], group=evil)])
    done = run(old, new, "--out", tmp_path / "out")
    assert "\x1b" not in done.stdout
    page = (tmp_path / "out" / "index.html").read_text()
    tags = Tags(page)
    assert (tags.open, tags.attributes("img")) == ([], [])


def test_a_large_cohort_is_listed_in_part_and_the_table_has_all(tmp_path: Path) -> None:
    scans = made_scans(500)
    old = make_run(tmp_path / "old", scans, [f"f{n}" for n in range(250)])
    moved = [{**row, "scar_percent_lv": row["scar_percent_lv"] + 2 + n / 100} for n, row in enumerate(scans)]
    new = make_run(tmp_path / "new", moved)
    found = diff_runs(old, new, tmp_path / "out")
    assert [study.study_id for study in found.studies[:2]] == ["S00499", "S00498"]
    assert (len(found.studies), len(found.ends["vanished"]), found.counts["vanished"]) == (200, 200, 250)
    assert len(changes(tmp_path / "out")) == 750


def test_the_result_does_not_depend_on_the_order_of_rows(runs: tuple[Path, Path], tmp_path: Path) -> None:
    diff_runs(*runs, tmp_path / "a")
    for folder in runs:
        for path in (folder / "tables").glob("*.parquet"):
            table = pq.read_table(path)
            pq.write_table(table.take(pa.array(range(table.num_rows)[::-1], pa.int64())), path)
    diff_runs(*runs, tmp_path / "b")
    assert changes(tmp_path / "a") == changes(tmp_path / "b")
    assert (tmp_path / "a/index.html").read_bytes() == (tmp_path / "b/index.html").read_bytes()


def broken(folder: Path) -> None:
    (folder / "tables" / "scans.parquet").write_bytes(b"PAR1 no")


def without_scans(folder: Path) -> None:
    (folder / "tables" / "scans.parquet").unlink()


def twice(folder: Path) -> None:
    path = folder / "tables" / "scans.parquet"
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)


def of_another_type(folder: Path) -> None:
    pq.write_table(pa.table({"study_id": ["a"], "scar_percent_lv": ["much"]}), folder / "tables" / "scans.parquet")


def of_another_schema(folder: Path) -> None:
    path = folder / "tables" / "scans.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**METADATA, "schema_version": "2", "table": "scans"}), path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (broken, "Table scans.parquet is not a Parquet file"),
        (without_scans, "NEW holds no scans.parquet or scans.csv; name a run's output directory or its tables"),
        (twice, "NEW holds study here more than once in scans and failures"),
        (of_another_type, "Table scans of NEW cannot be read as this release writes it"),
        (of_another_schema, "Table scans of NEW has schema version 2; this release reads 1"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(
    runs: tuple[Path, Path], damage: Callable[[Path], None], words: str
) -> None:
    damage(runs[1])
    with pytest.raises(CohortError, match=words):
        diff_runs(*runs)
