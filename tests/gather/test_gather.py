"""Gathering fragments, and the accounting of studies."""

import csv
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from table_rows import write_rows

import scarnet_cli.gather.gather as gather_module
from scarnet_cli.cli.gather import gather as command
from scarnet_cli.errors import CohortError
from scarnet_cli.gather.gather import gather
from scarnet_cli.tables import parquet
from scarnet_cli.tables.dictionary import GATHERED
from scarnet_cli.tables.parquet import read_table, table_metadata
from scarnet_cli.tables.schema import SORT_KEYS, TABLES

Fragments = dict[str, dict[str, list[dict[str, Any]]]]


def failure(study: str, stage: str) -> dict[str, str]:
    return {"study_id": study, "stage": stage, "code": "broken", "message": "It is broken; send it again."}


def measured(*studies: str, digest: str = "ab") -> dict[str, list[dict[str, Any]]]:
    return {
        "scans": [{"study_id": s, "model_sha256": digest} for s in studies],
        "slices": [{"study_id": s, "slice": i} for s in studies for i in (1, 0)],
        "segments": [{"study_id": s, "segment": 1} for s in studies],
        "failures": [],
    }


def index(*studies: str, failed: str = "") -> dict[str, list[dict[str, Any]]]:
    return {
        "studies": [{"study_id": s} for s in studies],
        "series": [{"study_id": s, "chosen": True} for s in studies],
        "failures": [failure(failed, "index")] if failed else [],
    }


# Five studies: a and d in one batch, b and c (overlapping it) in another; e failed at once, c in quantify's stage.
COHORT: Fragments = {
    "index": index("a", "b", "c", "d", "e", failed="e"),
    "convert_1": {"failures": []},
    "convert_2": {"failures": [failure("c", "convert")]},
    "quantify_1": measured("d", "a"),
    "quantify_2": measured("b"),
}


def write(fragments: Fragments, root: Path) -> list[Path]:
    for fragment, its_tables in fragments.items():
        for table, rows in its_tables.items():
            write_rows(table, rows, root / fragment / f"{table}.parquet", {})
    return [root / fragment for fragment in fragments]


def changed(**fragments: dict[str, list[dict[str, Any]]]) -> Fragments:
    return {**COHORT, **fragments}


def test_every_study_is_gathered_in_order(tmp_path: Path) -> None:
    total = gather(write(COHORT, tmp_path / "in"), tmp_path / "out")
    assert (total.studies, total.scans, total.failures) == (5, 3, 2)
    found = {name: read_table(tmp_path / "out" / f"{name}.parquet") for name in GATHERED}
    assert found["scans"]["study_id"].to_pylist() == ["a", "b", "d"]
    assert found["failures"]["study_id"].to_pylist() == ["c", "e"]
    assert found["slices"].select(["study_id", "slice"]).to_pylist()[:2] == [
        {"study_id": "a", "slice": 0},
        {"study_id": "a", "slice": 1},
    ]
    assert all(table.schema.equals(TABLES[name]) for name, table in found.items())
    assert table_metadata(found["scans"])["model_sha256"] == "ab"


def test_order_of_the_fragments_does_not_matter(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    results: list[list[Any]] = []
    for i, order in enumerate(list(permutations(directories))[::17]):
        gather(order, tmp_path / str(i))
        results.append([read_table(tmp_path / str(i) / f"{name}.parquet").to_pylist() for name in GATHERED])
    assert all(result == results[0] for result in results)


def gathered_bytes(directories: Sequence[Path], out: Path) -> dict[str, bytes]:
    gather(directories, out)
    return {name: (out / f"{name}.parquet").read_bytes() for name in GATHERED}


def test_order_and_batches_of_the_studies_leave_no_trace_in_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_now", lambda: "2026-01-01T00:00:00+00:00")
    monkeypatch.setattr(gather_module, "ROW_GROUP", 4)
    directories = write(COHORT, tmp_path / "in")
    expected = gathered_bytes(directories, tmp_path / "out")
    assert gathered_bytes(directories[::-1], tmp_path / "reversed") == expected
    batches = {name: COHORT[name] for name in ("index", "convert_1", "convert_2")}
    other = write({**batches, "q1": measured("b", "d"), "q2": measured("a")}, tmp_path / "other")
    assert gathered_bytes(other, tmp_path / "out_2") == expected


def test_a_fragment_of_several_row_groups_is_merged_between_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (parquet, gather_module):
        monkeypatch.setattr(module, "ROW_GROUP", 3)
    studies = [f"s{i:02}" for i in range(20)]
    fragments = {"index": index(*studies), "q1": measured(*studies[::2]), "q2": measured(*studies[1::2])}
    gather(write(fragments, tmp_path / "in"), tmp_path / "out")
    assert pq.ParquetFile(tmp_path / "in/index/studies.parquet").num_row_groups == 7
    assert read_table(tmp_path / "out/scans.parquet")["study_id"].to_pylist() == studies
    slices = read_table(tmp_path / "out/slices.parquet").select(["study_id", "slice"]).to_pylist()
    assert slices == [{"study_id": study, "slice": i} for study in studies for i in (0, 1)]
    assert read_table(tmp_path / "out/series.parquet")["study_id"].to_pylist() == studies


def test_labels_come_from_the_index_to_scans_and_failures(tmp_path: Path) -> None:
    labelled = index("a", "b", "c", "d", "e", failed="e")
    labelled["studies"] = [
        {"study_id": "a", "site": "Oslo", "visit": "1"},
        {"study_id": "b"},
        {"study_id": "c", "site": "Bern", "group": "drug", "patient": "P7"},
        {"study_id": "d", "site": "Bern"},
        {"study_id": "e", "group": "placebo"},
    ]
    gather(write(changed(index=labelled), tmp_path / "in"), tmp_path / "out")
    scans, failures = (read_table(tmp_path / f"out/{name}.parquet") for name in ("scans", "failures"))
    assert scans.schema.equals(TABLES["scans"])
    names = ["study_id", "patient", "site", "group", "visit"]
    assert [tuple(row.values()) for row in scans.select(names).to_pylist()] == [
        ("a", None, "Oslo", None, "1"),
        ("b", None, None, None, None),
        ("d", None, "Bern", None, None),
    ]
    assert [tuple(row.values()) for row in failures.select(names).to_pylist()] == [
        ("c", "P7", "Bern", "drug", None),
        ("e", None, None, "placebo", None),
    ]


def test_cohort_without_scans_has_empty_tables_of_the_same_schema(tmp_path: Path) -> None:
    gather(write({"index": index("e", failed="e")}, tmp_path / "in"), tmp_path / "out")
    for name in ("scans", "slices", "segments"):
        table = read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.num_rows == 0
        assert table.schema.equals(TABLES[name])


def test_digests_of_several_models_are_all_named(tmp_path: Path) -> None:
    fragments = {"index": index("a", "b"), "q1": measured("a", digest="ff"), "q2": measured("b", digest="00")}
    assert gather(write(fragments, tmp_path / "in"), tmp_path / "out").model_sha256 == "00,ff"


def test_dictionary_describes_every_column(tmp_path: Path) -> None:
    gather(write(COHORT, tmp_path / "in"), tmp_path / "out")
    with (tmp_path / "out" / "dictionary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["table"], r["column"]) for r in rows] == [(t, c) for t in GATHERED for c in TABLES[t].names]
    (flags,) = [r for r in rows if r["column"] == "flags"]
    assert flags["type"] == "list of string"
    (mass,) = [r for r in rows if (r["table"], r["column"]) == ("scans", "scar_g")]
    assert (mass["type"], mass["unit"]) == ("double", "g")


@pytest.mark.parametrize(
    ("fragments", "message"),
    [
        (changed(quantify_2=measured()), "1 lost: in no scans or failures table: b"),
        (changed(quantify_3=measured("b")), r"1 there twice: b \(scans of quantify_2; scans of quantify_3\)"),
        (
            changed(convert_1={"failures": [failure("a", "convert")]}),
            r"1 there twice: a \(scans of quantify_1; failures of convert_1, stage convert\)",
        ),
        (
            changed(crop_1={"failures": [failure("c", "crop")]}),
            r"c \(failures of convert_2, stage convert; failures of crop_1, stage crop\)",
        ),
        (changed(again={"studies": [{"study_id": "a"}]}), r"a \(studies of again; studies of index\)"),
        (changed(quantify_3=measured("z")), r"1 unknown: not seen by index: z \(scans of quantify_3\)"),
        (
            changed(stray={"slices": [{"study_id": "c", "slice": 0}]}),
            r"no scan in the same fragment: c \(slices of stray\)",
        ),
        ({"quantify_1": measured("a")}, r"No fragment has studies\.parquet"),
    ],
)
def test_accounting_that_does_not_add_up_raises(fragments: Fragments, message: str, tmp_path: Path) -> None:
    directories = write(fragments, tmp_path / "in")
    with pytest.raises(CohortError, match=message):
        gather(directories, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_heart_that_no_network_found_is_measured_by_a_given_label_map_or_fails_with_that(tmp_path: Path) -> None:
    given = measured("c")
    given["scans"][0]["labels_source"] = "given"
    unusable = {"study_id": "b", "stage": "quantify", "code": "labels_unusable", "message": "Draw it again."}
    fragments = changed(
        convert_2={"failures": []},
        crop_2={"failures": [failure("c", "crop"), failure("b", "crop")]},
        quantify_2={**given, "failures": [unusable]},
    )
    accounting = gather(write(fragments, tmp_path / "in"), tmp_path / "out")
    assert (accounting.studies, accounting.scans, accounting.failures) == (5, 3, 2)
    failures = read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert [(row["study_id"], row["stage"]) for row in failures] == [("b", "quantify"), ("e", "index")]
    # by a network alone, it would be there twice
    given["scans"][0]["labels_source"] = "network"
    with pytest.raises(CohortError, match="there twice: c"):
        gather(write(fragments, tmp_path / "again"), tmp_path / "out")


def test_long_lists_of_lost_studies_are_counted(tmp_path: Path) -> None:
    directories = write({"index": index(*[f"s{i:03}" for i in range(60)])}, tmp_path / "in")
    with pytest.raises(CohortError, match=r"60 lost: .*s000, s001.* and 10 more"):
        gather(directories, tmp_path / "out")


def test_fragments_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    fragments = {"index": index("a"), "1/quantify": measured("a"), "2/quantify": measured("a")}
    directories = write(fragments, tmp_path / "in")
    with pytest.raises(CohortError, match=r"scans of 1/quantify; scans of 2/quantify"):
        gather(directories, tmp_path / "out")


def test_fragment_of_another_schema_version_raises(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    write_rows("scans", [], tmp_path / "in/quantify_2/scans.parquet", {"schema_version": "0"})
    with pytest.raises(CohortError, match="scans of fragment quantify_2 has schema version 0"):
        gather(directories, tmp_path / "out")


def test_broken_fragment_raises(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    (tmp_path / "in/quantify_2/scans.parquet").write_bytes(b"PAR1")
    with pytest.raises(CohortError, match="scans of fragment quantify_2 is not a Parquet file"):
        gather(directories, tmp_path / "out")


def test_fragment_whose_rows_are_damaged_raises(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    path = tmp_path / "in/quantify_2/scans.parquet"
    content = bytearray(path.read_bytes())
    content[4:100] = bytes(96)  # the first column's values; the schema at the end stays
    path.write_bytes(content)
    with pytest.raises(CohortError, match="scans of fragment quantify_2 is not a Parquet file"):
        gather(directories, tmp_path / "out")


def test_fragment_with_an_unknown_column_raises(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    pq.write_table(pa.table({"study_id": ["b"], "age": [3]}), tmp_path / "in/quantify_2/scans.parquet")
    with pytest.raises(CohortError, match="quantify_2 has the unknown columns age"):
        gather(directories, tmp_path / "out")


def test_fragment_of_an_older_release_has_nulls_in_new_columns(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    older = read_table(tmp_path / "in/quantify_2/scans.parquet").select(["study_id", "scar_ml"])
    pq.write_table(older, tmp_path / "in/quantify_2/scans.parquet")
    gather(directories, tmp_path / "out")
    scans = read_table(tmp_path / "out/scans.parquet")
    assert scans.schema.equals(TABLES["scans"])
    assert scans["model_sha256"].to_pylist() == ["ab", None, "ab"]


def test_fragment_with_a_null_in_a_key_raises(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    pq.write_table(pa.table({"study_id": pa.array([None], pa.string())}), tmp_path / "in/quantify_2/scans.parquet")
    with pytest.raises(CohortError, match="quantify_2 does not fit its schema"):
        gather(directories, tmp_path / "out")


def test_command_prints_the_account(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    result = CliRunner().invoke(command, [*map(str, directories), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0
    assert result.stdout == "5 studies: 3 measured, 2 failed.\n"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [*(f"{name}.parquet" for name in GATHERED), "cohort.duckdb", "dictionary.csv"]
    )


def test_command_writes_csv_beside_the_parquet(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    options = ["--out", str(tmp_path / "out"), "--format", "csv"]
    assert CliRunner().invoke(command, [*map(str, directories), *options]).exit_code == 0
    for name in GATHERED:
        table = read_table(tmp_path / "out" / f"{name}.parquet")
        with (tmp_path / "out" / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        key = SORT_KEYS[name][0]
        assert [row[key] for row in rows] == table[key].to_pylist()
