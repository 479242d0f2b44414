"""The tables that are made of other gathered ones: readers_summary and follow_up."""

from collections.abc import Mapping
from pathlib import Path

from scarnet_cli.gather.follow_up import compare_visits
from scarnet_cli.gather.readers import summarise_readers
from scarnet_cli.gather.review import REJECT
from scarnet_cli.tables.csv import write_csv
from scarnet_cli.tables.follow_up import FollowUpRow
from scarnet_cli.tables.parquet import write_table
from scarnet_cli.tables.readers import ReadersSummaryRow


def write_derived(tables: Path, decisions: Mapping[str, str], metadata: Mapping[str, str], *, csv: bool) -> int:
    """Write readers_summary and follow_up beside the gathered tables; return how many visits have several studies.

    Args:
        tables: Directory with `scans`, in which the decisions are, and `readers`, which older runs do not have.
        decisions: A reader's decisions: rejected studies count in neither table.
        metadata: The files' metadata.
        csv: Write them as CSV as well.

    Raises:
        CohortError: A table is missing or unreadable.
    """
    paths = []
    if (tables / "readers.parquet").exists():
        rejected = {study for study, decision in decisions.items() if decision == REJECT}
        paths.append(tables / "readers_summary.parquet")
        write_table(ReadersSummaryRow, summarise_readers(tables / "readers.parquet", rejected), paths[-1], metadata)
    visits = compare_visits(tables / "scans.parquet")
    paths.append(tables / "follow_up.parquet")
    write_table(FollowUpRow, visits.rows, paths[-1], metadata)
    if csv:
        for path in paths:
            write_csv(path)
    return visits.repeated
