"""Writing a run's figures: SVG and PNG of each, Table 1, the numbers of the bull's eyes, and a page that shows them."""

import csv
import io
from importlib import metadata
from pathlib import Path
from typing import Final

from scarnet_cli.draw.plate import Plate, write_plate
from scarnet_cli.draw.text import SEGMENT_NAMES
from scarnet_cli.evaluate.groups import compare_means
from scarnet_cli.figures.paper_cohort import PaperCohort, read_paper_cohort
from scarnet_cli.figures.plates import plates
from scarnet_cli.figures.table_one import table_one
from scarnet_cli.files import write_bytes
from scarnet_cli.report.bullseyes import SEGMENTS, segment_scar
from scarnet_cli.report.methods import methods_paragraph
from scarnet_cli.report.template import render
from scarnet_cli.tables.parquet import CREATION_TIME, PIPELINE_VERSION

_COMPARED: Final = (
    "Two groups were compared by the Mann-Whitney U test with the Hodges-Lehmann shift, or by Welch's t-test where "
    "means are given, more groups by the Kruskal-Wallis test or Welch's analysis of variance, and counts by Fisher's "
    "exact or the chi-squared test; P values are two-sided and not adjusted, intervals are of 95 %"
)


def write_figures(run: Path, by: str | None, out: Path) -> tuple[Plate, ...]:
    """Write the figures of a run to `out`.

    Args:
        run: Its output directory, or that of its tables.
        by: Column of scans that groups the studies; None: `group`, if any study has one.
        out: Directory of the figures; created if absent.

    Returns:
        The figures; one that cannot be drawn has no drawings and says why.

    Raises:
        CohortError: There is no table of scans, or a table is unreadable.
        InputError: The column cannot group the studies.
        MachineError: The disk is full or failing.
    """
    cohort = read_paper_cohort(run, by)
    figures = tuple(plates(cohort))
    table = table_one(cohort)
    for plate in figures:
        write_plate(plate, out)
    write_bytes(out / "table1.csv", table.csv.encode())
    write_bytes(out / "bullseye.csv", _segments_csv(cohort).encode())
    version = cohort.metadata.get(PIPELINE_VERSION, "")
    methods = methods_paragraph(cohort.measured, len(cohort.failures), version, cohort.software)
    if len(cohort.groups) > 1:
        methods += f" {_COMPARED} (SciPy {metadata.version('scipy')})."
    write_bytes(out / "methods.txt", f"{methods}\n".encode())
    page = render(
        "figures.html.jinja",
        ("base.css", "charts.css", "figures.css"),
        figures=figures,
        table=table,
        cohort=cohort,
        methods=methods,
        version=version,
        created=cohort.metadata.get(CREATION_TIME, ""),
    )
    write_bytes(out / "index.html", page.encode())
    return figures


def _segments_csv(cohort: PaperCohort) -> str:
    """Return the scar of each segment by group; with two groups, also the difference of means by Welch's t-test."""
    groups = cohort.groups or {"all": cohort.used}
    found = {name: segment_scar(cohort.segments, [row["study_id"] for row in rows]) for name, rows in groups.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [f"{measure} {name}" for name in found for measure in ("n", "mean_percent", "with_scar_percent")]
    pair = list(found.values()) if len(found) == 2 else []  # noqa: PLR2004
    differences = ["difference", "difference_low", "difference_high", "p"] if pair else []
    writer.writerow(["segment", "name", *names, *differences])
    for place, segment in enumerate(SEGMENTS):
        cells: list[float | int | None] = []
        for group in found.values():
            cells += [len(group.percents[place]), group.mean[place], group.frequency[place]]
        if pair:
            tested = compare_means(*(group.percents[place].tolist() for group in pair))
            cells += [tested.estimate, tested.low, tested.high, tested.p] if tested else [None] * 4
        writer.writerow([segment, SEGMENT_NAMES[place], *(_rounded(cell) for cell in cells)])
    return text.getvalue()


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
