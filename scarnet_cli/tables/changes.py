"""The table `changes` of `scarnet diff`: what differs between two runs, one row per study and difference."""

from typing import Literal

from scarnet_cli.tables.columns import column, record
from scarnet_cli.tables.studies import STUDY_ID

ChangeKind = Literal["appeared", "vanished", "failed", "measured", "failed_otherwise", "raised", "dropped", "value"]


@record
class ChangeRow:
    """One difference of one study between two runs."""

    study_id: str = column(STUDY_ID, required=True)
    change: ChangeKind = column(
        "'appeared' or 'vanished': only one run has the study. 'failed', 'measured', 'failed_otherwise': it ended "
        "otherwise. 'raised' or 'dropped': a flag came or went. 'value': a column of scans changed.",
        required=True,
    )
    column_name: str | None = column("Column of scans that changed, 'flags' for a flag; null where the end did.")
    old: float | None = column("Number in the old run, in the column's unit; null where undefined or no number.")
    new: float | None = column("Number in the new run.")
    difference: float | None = column("New minus old; null where one is undefined.")
    old_text: str | None = column(
        "Old text of a column, the flag that was dropped, or how the study ended: 'measured', or stage and code."
    )
    new_text: str | None = column("New text of that column, the flag that was raised, or how the study ended.")
