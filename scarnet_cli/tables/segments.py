"""The table `segments`: one row per AHA segment of a measured study."""

from scarnet_cli.tables.columns import block, column, record
from scarnet_cli.tables.measures import TRANSMURALITY, ShapeMeasures, ThresholdMeasures, WallMeasures
from scarnet_cli.tables.studies import STUDY_ID


@record
class SegmentMeasures:
    """Measures of one AHA segment; percentages are of the segment's myocardium, None is undefined."""

    segment: int = column("Segment of the AHA model, 1-17.", required=True)
    myocardium_ml: float | None = column("Volume of the segment's myocardium.", "ml")
    myocardium_g: float | None = column("Mass of the segment's myocardium.", "g")
    scar_ml: float | None = column("Volume of the segment's scar, MVO included.", "ml")
    scar_g: float | None = column("Mass of the segment's scar, MVO included.", "g")
    scar_percent: float | None = column("Scar, MVO included, of the segment's myocardium.", "percent")
    mvo_ml: float | None = column("Volume of the segment's microvascular obstruction.", "ml")
    mvo_percent: float | None = column("Microvascular obstruction of the segment's myocardium.", "percent")
    thresholds: ThresholdMeasures = block()
    transmurality: float | None = column(
        f"{TRANSMURALITY}; 0 without scar, null without chords (segment 17).", "percent"
    )
    wall: WallMeasures = block()
    shape: ShapeMeasures = block()


@record
class SegmentRow:
    """One AHA segment of a measured study."""

    study_id: str = column(STUDY_ID, required=True)
    measures: SegmentMeasures = block()
