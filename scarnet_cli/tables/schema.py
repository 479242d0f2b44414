"""The cohort's tables by name: their records, Arrow schemas and sort keys.

Users' scripts read these columns: a released column is never renamed, columns are only added.
"""

from typing import Final

import pyarrow as pa

from scarnet_cli.tables.benchmark import CostRow, RobustnessRow, ScoreRow, SummaryRow
from scarnet_cli.tables.changes import ChangeRow
from scarnet_cli.tables.columns import schema_of
from scarnet_cli.tables.exports import ExportRow
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.follow_up import FollowUpRow
from scarnet_cli.tables.readers import ReadersRow, ReadersSummaryRow
from scarnet_cli.tables.scans import ScanRow
from scarnet_cli.tables.segments import SegmentRow
from scarnet_cli.tables.series import SeriesRow
from scarnet_cli.tables.slices import SliceRow
from scarnet_cli.tables.studies import StudyRow
from scarnet_cli.tables.unread import UnreadRow

# Raised when a column changes its type or meaning or is removed, but not when one is added.
SCHEMA_VERSION: Final = "1"

RECORDS: Final[dict[str, type]] = {
    "scans": ScanRow,
    "slices": SliceRow,
    "segments": SegmentRow,
    "series": SeriesRow,
    "failures": Failure,
    "exports": ExportRow,
    "readers": ReadersRow,
    "readers_summary": ReadersSummaryRow,
    "follow_up": FollowUpRow,
    "studies": StudyRow,
    "unread": UnreadRow,
    "benchmark": ScoreRow,
    "benchmark_summary": SummaryRow,
    "benchmark_cost": CostRow,
    "robustness": RobustnessRow,
    "changes": ChangeRow,
}
# The name of each record's table.
NAMES: Final[dict[type, str]] = {kind: name for name, kind in RECORDS.items()}
TABLES: Final[dict[str, pa.Schema]] = {name: schema_of(kind) for name, kind in RECORDS.items()}

# Rows are sorted by these columns, then by every other one, so that equal content gives equal files.
SORT_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "scans": ("study_id",),
    "slices": ("study_id", "slice"),
    "segments": ("study_id", "segment"),
    "series": ("study_id", "series_instance_uid"),
    "failures": ("study_id", "stage", "code"),
    "exports": ("study_id",),
    "readers": ("study_id", "first_reader", "second_reader"),
    "readers_summary": ("first_reader", "second_reader", "measure"),
    "follow_up": ("patient", "study_id"),
    "studies": ("study_id",),
    "unread": ("place", "kind", "reason"),
    "benchmark": ("model", "case_id", "region"),
    "benchmark_summary": ("model", "region"),
    "benchmark_cost": ("model",),
    "robustness": ("model", "case_id", "disturbance", "severity", "repeat"),
    "changes": ("study_id", "change", "column_name"),
}
