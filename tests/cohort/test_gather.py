"""Gathering fragments, and the accounting of studies."""

import csv
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from scarnet_cli.cli.gather import gather as command
from scarnet_cli.cohort.dictionary import GATHERED
from scarnet_cli.cohort.gather import gather
from scarnet_cli.cohort.schema import TABLES
from scarnet_cli.cohort.tables import read_table, table_metadata, write_table
from scarnet_cli.errors import CohortError

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
    for fragment, tables in fragments.items():
        for table, rows in tables.items():
            write_table(table, rows, root / fragment / f"{table}.parquet", {})
    return [root / fragment for fragment in fragments]


def changed(**fragments: dict[str, list[dict[str, Any]]]) -> Fragments:
    return {**COHORT, **fragments}


def test_every_study_is_gathered_in_order(tmp_path: Path) -> None:
    total = gather(write(COHORT, tmp_path / "in"), tmp_path / "out")
    assert (total.studies, total.scans, total.failures) == (5, 3, 2)
    tables = {name: read_table(tmp_path / "out" / f"{name}.parquet") for name in GATHERED}
    assert tables["scans"]["study_id"].to_pylist() == ["a", "b", "d"]
    assert tables["failures"]["study_id"].to_pylist() == ["c", "e"]
    assert tables["slices"].select(["study_id", "slice"]).to_pylist()[:2] == [
        {"study_id": "a", "slice": 0},
        {"study_id": "a", "slice": 1},
    ]
    assert all(table.schema.equals(TABLES[name]) for name, table in tables.items())
    assert table_metadata(tables["scans"])["model_sha256"] == "ab"


def test_order_of_the_fragments_does_not_matter(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    results: list[list[Any]] = []
    for i, order in enumerate(list(permutations(directories))[::17]):
        gather(order, tmp_path / str(i))
        results.append([read_table(tmp_path / str(i) / f"{name}.parquet").to_pylist() for name in GATHERED])
    assert all(result == results[0] for result in results)


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
    write_table("scans", [], tmp_path / "in/quantify_2/scans.parquet", {"schema_version": "0"})
    with pytest.raises(CohortError, match="scans of fragment quantify_2 has schema version 0"):
        gather(directories, tmp_path / "out")


def test_broken_fragment_raises(tmp_path: Path) -> None:
    directories = write(COHORT, tmp_path / "in")
    (tmp_path / "in/quantify_2/scans.parquet").write_bytes(b"PAR1")
    with pytest.raises(CohortError, match="scans of fragment quantify_2 is no Parquet file"):
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
        [*(f"{name}.parquet" for name in GATHERED), "dictionary.csv"]
    )
