"""Writing the report: an index that opens from disk, and a folder with a page and a picture of each study."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from scarnet_cli.draw.shades import shades_css
from scarnet_cli.draw.svg import bullseye_shapes
from scarnet_cli.files import write_bytes
from scarnet_cli.report.cohort import Cohort, read_cohort
from scarnet_cli.report.rows import address
from scarnet_cli.report.study_pages import find_pictures, write_study_pages
from scarnet_cli.report.template import render

_STYLES: Final = ("base.css", "charts.css", "bullseye.css", "index.css")
_SCRIPTS: Final = ("decisions.js", "table.js", "pane.js", "index.js")


def write_report(tables: Path, studies: Iterable[Path], out: Path) -> int:
    """Write `out`/index.html, `out`/list.html (for browsers without scripts) and `out`/studies.

    Args:
        tables: Directory that `scarnet gather` wrote.
        studies: Directories with <study_id>/overlay.png, or studies/<study_id>/overlay.png up to two levels deep.
        out: Directory of the report; created if absent.

    Returns:
        Number of studies in the report, failed ones included.

    Raises:
        CohortError: A table is missing or unreadable.
        InputError: A study's id cannot be a file name.
    """
    cohort = read_cohort(tables)
    write_study_pages(tables, find_pictures(studies), out)
    write_bytes(out / "list.html", render("list.html.jinja", ("base.css",), cohort=cohort, address=address).encode())
    write_bytes(out / "index.html", render_index(cohort).encode())
    return cohort.found


def render_index(cohort: Cohort) -> str:
    """Return the index as HTML: flow, review list, distributions, agreement, failures, methods."""
    shapes = bullseye_shapes() if cohort.eyes else ""
    return render("index.html.jinja", _STYLES, _SCRIPTS, rules=shades_css(), cohort=cohort, shapes=shapes)
