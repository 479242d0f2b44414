"""The studies that a paper's figures are about, read from a run's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from scarnet_cli.draw.text import count_text
from scarnet_cli.errors import InputError
from scarnet_cli.gather.review import without_rejected
from scarnet_cli.report.groups import MOST_GROUPS, groups_of
from scarnet_cli.report.measures import Row
from scarnet_cli.tables.run_tables import find_tables, read_run_record, read_run_table
from scarnet_cli.tables.schema import TABLES

_GROUP: Final = "group"
_NAME: Final = "The run"


@dataclass(frozen=True, slots=True)
class PaperCohort:
    """A run's studies.

    Attributes:
        measured: Rows of scans, with the user's own columns.
        failures: Rows of failures.
        segments: Columns study_id, segment and scar_percent of the table segments.
        by: Column that groups the studies; None without groups.
        own_columns: Names and types of the user's own columns of scans.
        metadata: Versions, model digests and time of the tables; empty where they are CSV.
        software: Name -> version of what the run used, where it says so.
        dates_moved: Whether --deidentify moved each patient's dates by days of its own.
    """

    measured: tuple[Row, ...]
    failures: tuple[Row, ...]
    segments: pa.Table
    by: str | None
    own_columns: Mapping[str, pa.DataType]
    metadata: Mapping[str, str]
    software: Mapping[str, Any]
    dates_moved: bool

    @property
    def used(self) -> list[Row]:
        """The measured studies that no reader rejected: what every figure but the flow is about."""
        return without_rejected(self.measured)

    @property
    def rejected(self) -> int:
        """Number of measured studies that a reader rejected."""
        return len(self.measured) - len(self.used)

    @property
    def groups(self) -> dict[str, list[Row]]:
        """Name of each group -> its used studies; empty without groups. Studies without a value are in none."""
        return groups_of(self.used, self.by)


def read_paper_cohort(run: Path, by: str | None) -> PaperCohort:
    """Read the studies of a run.

    Args:
        run: Its output directory, or that of its tables (Parquet, or CSV where there is no Parquet).
        by: Column of scans that groups the studies; None: `group`, if any study has one.

    Raises:
        CohortError: There is no table of scans, or a table is unreadable.
        InputError: There is no such column, or it cannot group studies.
    """
    tables = find_tables(run, _NAME)
    scans = read_run_table(tables, "scans", _NAME)
    segments = read_run_table(tables, "segments", _NAME).rows
    if by is not None:
        _require_groups(scans.rows, by)
    elif scans.rows[_GROUP].null_count < scans.rows.num_rows:
        by = _GROUP
    return PaperCohort(
        measured=tuple(scans.rows.to_pylist()),
        failures=tuple(read_run_table(tables, "failures", _NAME).rows.to_pylist()),
        segments=segments.select(["study_id", "segment", "scar_percent"]),
        by=by,
        own_columns={field.name: field.type for field in scans.rows.schema if field.name not in TABLES["scans"].names},
        metadata=scans.metadata,
        software=read_run_record(tables, "versions.json"),
        dates_moved=read_run_record(tables, "parameters.json").get("deidentify") is True,
    )


def _require_groups(scans: pa.Table, by: str) -> None:
    if by not in scans.schema.names:
        near = get_close_matches(by, scans.schema.names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "docs/output.md lists them, and a samplesheet may add others."
        message = f"scans has no column '{by}'; {hint}"
        raise InputError("unknown_column", message)
    column = scans[by]
    values: Sequence[Any] = [] if pa.types.is_nested(column.type) else column.drop_null().unique().to_pylist()
    if not 0 < len(values) <= MOST_GROUPS:
        many = count_text(len(values), "different value") if values else "no value"
        message = f"The column '{by}' cannot group the studies: it has {many}; one that can has 1 to {MOST_GROUPS}."
        raise InputError("no_groups", message)
