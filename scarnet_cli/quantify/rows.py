"""The rows of one measured study."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scarnet_cli import __version__
from scarnet_cli.tables.scans import ScanRow
from scarnet_cli.tables.segments import SegmentRow
from scarnet_cli.tables.slices import SliceRow

if TYPE_CHECKING:
    from scarnet_cli.quantify.measures import StudyMeasures

TABLES: Final = (ScanRow, SliceRow, SegmentRow)


def study_rows(measures: "StudyMeasures", known: ScanRow) -> tuple[ScanRow, list[SliceRow | SegmentRow]]:
    """Return a study's row of `scans`, and its rows of `slices` and `segments`."""
    flags = tuple(dict.fromkeys([*known.flags, *measures.flags]))
    scan = replace(known, measures=measures.scan, flags=flags, pipeline_version=__version__)
    slices = [SliceRow(known.study_id, row) for row in measures.slices]
    return scan, [*slices, *(SegmentRow(known.study_id, row) for row in measures.segments)]
