"""Comparing two runs: from their folders to what people are told, the table of changes and the page."""

from collections.abc import Iterable
from pathlib import Path

from scarnet_cli.diff.compare import compared
from scarnet_cli.diff.outcome import read_outcome
from scarnet_cli.diff.page import Differences, render_page, summarise
from scarnet_cli.diff.tolerance import tolerances
from scarnet_cli.files import write_bytes
from scarnet_cli.tables.csv import write_csv
from scarnet_cli.tables.parquet import MODEL_DIGEST, write_parts
from scarnet_cli.tables.schema import TABLES


def diff_runs(
    old: Path, new: Path, out: Path | None = None, tolerance: Iterable[str] = (), *, csv: bool = False
) -> Differences:
    """Compare two runs study by study.

    Args:
        old: Output directory of the run before, or that of its tables.
        new: The same of the run after it.
        out: Directory that gets changes.parquet and index.html; None for neither.
        tolerance: How far numbers may move, where not by the defaults: see `tolerance.tolerances`.
        csv: Write changes.csv too.

    Raises:
        CohortError: A run has no tables, or they are unreadable.
        InputError: A tolerance is none.
        MachineError: The disk is full or failing.
    """
    allowed = tolerances(tolerance)
    before, after = read_outcome(old, "OLD"), read_outcome(new, "NEW")
    with compared(before, after, allowed) as comparison:
        found = summarise(comparison, before, after)
        if out is not None:
            table = out / "changes.parquet"
            metadata = {MODEL_DIGEST: after.metadata.get(MODEL_DIGEST, "")}
            write_parts("changes", TABLES["changes"], comparison.rows(), table, metadata)
            if csv:
                write_csv(table)
            write_bytes(out / "index.html", render_page(found).encode())
    return found
