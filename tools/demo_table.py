"""Print the results of `make demo` beside the truth: that of the phantoms, or the experts' contours."""

import argparse
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import read_nifti


def true_scar_percent(cohort: Path) -> dict[str, float]:
    """Return study_id -> scar as a percentage of the myocardium, from truth.parquet or the reference label maps."""
    if (cohort / "truth.parquet").exists():
        rows = pq.read_table(cohort / "truth.parquet", columns=["study_id", "scar_percent_lv"]).to_pylist()
        return {row["study_id"]: row["scar_percent_lv"] for row in rows}
    return {path.name.removesuffix(".nii.gz"): reference_percent(path) for path in cohort.glob("reference/*.nii.gz")}


def reference_percent(path: Path) -> float:
    """Return the scar percentage of one label map; 0 if it has no myocardium."""
    labels = read_nifti(path).array
    myocardium = int(region_mask(labels, "myocardium").sum())
    return 100.0 * int(region_mask(labels, "scar").sum()) / myocardium if myocardium else 0.0


def case_names(cohort: Path) -> dict[str, str]:
    """Return study_id -> the case that it was made from, if known."""
    if not (cohort / "cases.csv").exists():
        return {}
    rows = pyarrow.csv.read_csv(cohort / "cases.csv").to_pylist()
    return {row["study_id"]: row["case"] for row in rows}


def main() -> None:
    """Print the table, the failures and the path of the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", type=Path, help="Folder that `scarnet phantom` or `scarnet dicomize` wrote.")
    parser.add_argument("results", type=Path, help="The pipeline's --outdir.")
    arguments = parser.parse_args()
    scans = {row["study_id"]: row for row in pq.read_table(arguments.results / "tables" / "scans.parquet").to_pylist()}
    failures = pq.read_table(arguments.results / "tables" / "failures.parquet").to_pylist()
    truth, names = true_scar_percent(arguments.cohort), case_names(arguments.cohort)

    table = Table("study", "measured", "true", "difference", "myocardium", title="Scar, percent of the myocardium")
    differences = []
    for study_id, scan in sorted(scans.items(), key=lambda item: str(names.get(item[0], item[0]))):
        measured, true = scan["scar_percent_lv"], truth[study_id]
        differences.append(abs(measured - true))
        cells = (f"{measured:.1f}", f"{true:.1f}", f"{measured - true:+.1f}", f"{scan['myocardium_g']:.0f} g")
        table.add_row(names.get(study_id, study_id), *cells)
    console = Console(highlight=False)
    console.print(table)
    if differences:
        mean = sum(differences) / len(differences)
        console.print(f"Difference from the truth: {mean:.1f} points on average, {max(differences):.1f} at most.")
    for failure in failures:
        study = names.get(failure["study_id"], failure["study_id"])
        console.print(f"Failed: {study} at {failure['stage']} ({failure['code']}): {failure['message']}", markup=False)
    console.print(f"{len(scans)} measured, {len(failures)} failed, of {len(truth)} made.")
    console.print(f"Tables: {arguments.results / 'tables'}", soft_wrap=True)
    console.print(f"Report: {arguments.results / 'report' / 'index.html'}", soft_wrap=True)


if __name__ == "__main__":
    main()
