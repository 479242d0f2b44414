"""Carrying a reader's decisions into tables that are gathered already."""

from pathlib import Path

from scarnet_cli.gather.derived import write_derived
from scarnet_cli.gather.review import REVIEWED, read_decisions, with_decisions
from scarnet_cli.tables.csv import write_csv
from scarnet_cli.tables.database import DATABASE, write_database
from scarnet_cli.tables.parquet import MODEL_DIGEST, read_table, table_metadata, write_arrow


def carry_decisions(tables: Path, review: Path) -> int:
    """Write a review's decisions into `tables`/scans.parquet atomically, and make what depends on them anew.

    That is follow_up and readers_summary, and CSV and database where there are any. Other columns and the metadata are
    unchanged. The review replaces all earlier decisions: a study that it leaves out has none afterwards.

    Returns:
        Number of measured studies with a decision.

    Raises:
        CohortError: A table is missing or unreadable.
        InputError: Rows of the review are wrong; the message lists each one, and nothing is written.
    """
    path = tables / "scans.parquet"
    scans, failures = read_table(path), read_table(tables / "failures.parquet")
    known = {*scans["study_id"].to_pylist(), *failures["study_id"].to_pylist()}
    decisions = read_decisions(review, known)
    reviewed = with_decisions(scans, decisions)
    write_arrow("scans", reviewed, path, table_metadata(scans))
    csv = path.with_suffix(".csv").exists()
    if csv:
        write_csv(path)
    write_derived(tables, decisions, {MODEL_DIGEST: table_metadata(scans).get(MODEL_DIGEST, "")}, csv=csv)
    if (tables / DATABASE).exists():
        write_database(tables)
    return reviewed.num_rows - reviewed[REVIEWED].null_count
