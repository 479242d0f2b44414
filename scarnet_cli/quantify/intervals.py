"""The 90 % intervals of a study's measures."""

from scarnet_cli.stage.records import Margins
from scarnet_cli.tables.scans import IntervalMeasures, ScanMeasures


def find_intervals(scan: ScanMeasures, margins: Margins | None) -> IntervalMeasures | None:
    """Return the intervals round a study's measures, within what is possible; None without margins."""
    if margins is None:
        return None
    scar_percent, mvo_percent = (
        (None, None) if value is None else interval_ends(value, margin, 100.0)
        for value, margin in (
            (scan.scar_percent_lv, margins.scar_percent),
            (scan.mvo_percent_lv, margins.mvo_percent),
        )
    )
    scar_ml = interval_ends(scan.scar_ml, margins.scar_ml, scan.myocardium_ml)
    return IntervalMeasures(*scar_percent, *scar_ml, *mvo_percent)


def interval_ends(value: float, margin: float, greatest: float) -> tuple[float, float]:
    """Return both ends of an interval round a value, within 0 and the greatest value that is possible."""
    return max(value - margin, 0.0), min(value + margin, greatest)
