"""Tables of every released schema version can still be read, gathered and reported.

tests/tables/released/vN holds what the first release with schema version N made of three phantoms, one of them broken;
docs/developing.md says how to add one.
"""

from pathlib import Path

import pytest

from scarnet_cli.gather.gather import gather
from scarnet_cli.report.page import write_report
from scarnet_cli.tables.parquet import VERSION_KEY, read_table, table_metadata
from scarnet_cli.tables.schema import SCHEMA_VERSION, TABLES

RELEASED = sorted((Path(__file__).parent / "released").iterdir())
NAMES = ("scans", "slices", "segments", "series", "failures", "studies")
STUDIES, PERCENT, FAILED = ["7033f9d5a115700a", "e857c5a90015c81e"], [13.05, 0.0], "85afc5249006fb07"

pytestmark = pytest.mark.parametrize("folder", RELEASED, ids=lambda folder: folder.name)


def test_the_current_version_is_kept(folder: Path) -> None:
    version = folder.name.removeprefix("v")
    assert SCHEMA_VERSION in [kept.name.removeprefix("v") for kept in RELEASED]
    assert all(table_metadata(read_table(folder / f"{name}.parquet"))[VERSION_KEY] == version for name in NAMES)


def test_tables_come_in_the_schema_of_this_release(folder: Path) -> None:
    for name in NAMES:
        table = read_table(folder / f"{name}.parquet")
        assert table.schema.equals(TABLES[name])
        assert table.num_rows > 0
    scans = read_table(folder / "scans.parquet")
    assert scans["study_id"].to_pylist() == STUDIES
    assert scans["site"].null_count == len(STUDIES)
    assert [round(percent, 2) for percent in scans["scar_percent_lv"].to_pylist()] == PERCENT


def test_tables_are_gathered_and_reported(folder: Path, tmp_path: Path) -> None:
    total = gather([folder], tmp_path / "tables")
    assert (total.studies, total.scans, total.failures) == (3, 2, 1)
    assert write_report(tmp_path / "tables", [], tmp_path / "gathered") == len([*STUDIES, FAILED])
    assert write_report(folder, [], tmp_path / "as it is") == len([*STUDIES, FAILED])
    page = (tmp_path / "as it is" / "index.html").read_text()
    assert all(study in page for study in (*STUDIES, FAILED))
