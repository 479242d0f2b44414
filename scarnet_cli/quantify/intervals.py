"""The 90 % intervals of a study's measures."""

from scarnet_cli.stage.records import Margins
from scarnet_cli.tables.scans import IntervalMeasures, ScanMeasures


def find_intervals(scan: ScanMeasures, margins: Margins | None) -> IntervalMeasures | None:
    """Return the intervals round a study's measures, within what is possible; None without margins."""
    if margins is None:
        return None
    scar_percent = _interval(scan.scar_percent_lv, margins.scar_percent, 100.0)
    scar_ml = _interval(scan.scar_ml, margins.scar_ml, scan.myocardium_ml)
    mvo_percent = _interval(scan.mvo_percent_lv, margins.mvo_percent, 100.0)
    return IntervalMeasures(*scar_percent, *scar_ml, *mvo_percent)


def _interval(value: float | None, margin: float, greatest: float) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    return max(value - margin, 0.0), min(value + margin, greatest)
