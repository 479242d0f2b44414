"""The table `series`: one row per series of every study that INDEX saw."""

from scarnet_cli.tables.columns import column, record
from scarnet_cli.tables.studies import STUDY_ID


@record
class SeriesRow:
    """One series of a study that INDEX saw."""

    study_id: str = column(STUDY_ID, required=True)
    series_instance_uid: str | None = column(
        "DICOM SeriesInstanceUID, with --deidentify a new one; null where the input was NIfTI."
    )
    description: str | None = column("DICOM SeriesDescription, with --deidentify known words of it.")
    chosen: bool = column("Whether this series was measured.", required=True)
    reason: str | None = column("Why it was or was not chosen.")
