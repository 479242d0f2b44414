"""The table `exports`: one row per measured study whose DICOM results were requested."""

from scarnet_cli.tables.columns import column, record
from scarnet_cli.tables.studies import STUDY_ID


@record
class ExportRow:
    """The outcome of one study's export to DICOM."""

    study_id: str = column(STUDY_ID, required=True)
    segmentation_uid: str | None = column(
        "SOPInstanceUID of the study's DICOM Segmentation, seg.dcm; null without one.", default=None
    )
    report_uid: str | None = column(
        "SOPInstanceUID of its Structured Report, report.dcm; null without one.", default=None
    )
    code: str | None = column(
        "Why there are none, as a short word for programs; null where they were written.", default=None
    )
    message: str | None = column("The reason for people, and what to do.", default=None)
