"""docs/tutorial.md from top to bottom by its own commands, then what its two runs did, and its notebook.

A script that knows nothing of hearts labels the studies in the place of the networks. Between the runs the test gives
one study a reference, beside what the page changes.
"""

import ast
import csv
import io
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from nextflow_launch import REPOSITORY, Launch

from scarnet_cli.cli.main import cli
from scarnet_cli.draw.plate import Plate

pytestmark = pytest.mark.pipeline

PAGE: Final = (REPOSITORY / "docs" / "tutorial.md").read_text()
NOTEBOOK: Final = REPOSITORY / "examples" / "cohort.ipynb"
CORRECTED: Final = ("1a8ae312592a41e8", "70a0518dde302645", "7033f9d5a115700a")
COMPARED: Final = "e3f64fe1534b3d36"  # the study that the test gives a reference
# With these sizes the phantoms' ids make two batches, one of which holds all studies that are corrected.
OPTIONS: Final = (
    *("--batch_min", "2", "--batch_max", "4", "--max_cpus", "1", "--tables_format", "csv"),
    *("--segment_command", f"'{sys.executable}' {{files}} {{images}} {{labels}}", "--segment_files", "ring.py"),
    *("--segment_label_values", "values.csv"),
)
STAGES: Final = {"CONVERT", "SEGMENT_COMMAND", "COLLECT", "QUANTIFY"}
# A ring round the picture's middle, bright voxels of it as scar, in values of its own; its output is not a log of ours.
SCRIPT: Final = """
import sys
from pathlib import Path
import numpy as np
import SimpleITK as sitk

for path in sorted(Path(sys.argv[1]).iterdir()):
    image = sitk.ReadImage(str(path))
    signal = sitk.GetArrayFromImage(image)
    y, x = np.indices(signal.shape[1:])
    radius = np.broadcast_to(np.hypot(y - signal.shape[1] / 2, x - signal.shape[2] / 2), signal.shape)
    labels = np.where(radius < 12, 10, np.where(radius < 24, 20, 0)).astype(np.uint8)
    wall = labels == 20
    labels[wall & (signal > np.percentile(signal[wall], 80))] = 30
    drawn = sitk.GetImageFromArray(labels)
    drawn.CopyInformation(image)
    sitk.WriteImage(drawn, f"{sys.argv[2]}/{path.name}")
    print("labelled", path.name)
"""


@dataclass
class Day:
    """The page's blocks, run one after the other.

    Attributes:
        launch: The folder that they run in.
        said: What the last block of commands or Python said.
        quotes: What the page quotes, each with what was said.
        networks: Study -> the label map of the first run, as the file's bytes.
    """

    launch: Launch
    said: str = ""
    quotes: list[tuple[str, str]] = field(default_factory=list)
    networks: dict[str, bytes] = field(default_factory=dict)

    def run(self, kind: str, content: str) -> None:
        """Run a block of the page, or keep a quote of it."""
        if kind == "text":
            self.quotes.append((content, self.said))
        elif kind == "python":
            with redirect_stdout(io.StringIO()) as printed:
                exec(content, {})
            self.said = printed.getvalue()
        else:
            lines = content.replace("\\\n", "").splitlines()
            self.said = "".join(self._command(shlex.split(line)) for line in lines)

    def _command(self, words: list[str]) -> str:
        if words[:3] == ["nextflow", "run", "../main.nf"]:
            if "-resume" in words:
                self._between_the_runs()
            return self.launch.succeed(*words[3:], *OPTIONS)
        assert words[0] == "scarnet"
        done = CliRunner().invoke(cli, words[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def _between_the_runs(self) -> None:
        labels = {path.parent.name: path for path in self.launch.out.glob("studies/*/labels.nii.gz")}
        self.networks = {study: path.read_bytes() for study, path in labels.items()}
        shutil.copy(labels[COMPARED], self.launch.folder / "drawn.nii.gz")
        sheet = pd.read_csv("cohort.csv", dtype=str)
        sheet.loc[sheet["study"] == COMPARED, "reference"] = "drawn.nii.gz"
        sheet.to_csv("cohort.csv", index=False)

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        """Return study -> its row of a table."""
        rows = pq.read_table(self.launch.out / "tables" / f"{table}.parquet").to_pylist()
        return {row["study_id"]: row for row in rows}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """All of the page but its set-up, in the folder that it names."""
    folder = tmp_path_factory.mktemp("day") / "tutorial"
    folder.mkdir()
    (folder / "ring.py").write_text(SCRIPT)
    (folder / "values.csv").write_text("value,label\n10,blood_pool\n20,myocardium\n30,scar\n")
    day = Day(Launch(folder))
    (_, setup), *blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert "make setup" in setup
    with chdir(folder):
        for kind, content in blocks:
            day.run(kind, content)
        yield day


def test_what_the_page_quotes_is_said_but_for_the_networks_numbers(day: Day) -> None:
    assert len(day.quotes) >= 5
    for quote, said in day.quotes:
        lines = {_without_numbers(line) for line in said.splitlines()} | {"\N{HORIZONTAL ELLIPSIS}"}
        assert [line for line in map(_without_numbers, quote.splitlines()) if line not in lines] == [], said


def _without_numbers(line: str) -> str:
    return " ".join(re.sub(r"[+-]?\d+(\.\d+)?", "#", re.sub(r"\b[0-9a-f]{16}\b", "STUDY", line)).split())


def test_each_change_redid_what_hangs_on_it_and_nothing_else(day: Day) -> None:
    """Another column redoes the tables alone, a label map QUANTIFY of its batch, a reference its batch."""
    batch_of = day.launch.batch_of()
    (corrected,) = {batch_of[study] for study in CORRECTED}
    compared = batch_of[COMPARED]
    assert compared != corrected
    assert day.launch.tasks("COMPLETED") == {
        ("INDEX", "input"),
        *((stage, compared) for stage in STAGES),
        ("QUANTIFY", corrected),
        ("GATHER", "cohort"),
        ("REPORT", "cohort"),
    }
    assert {process for process, _ in day.launch.tasks("CACHED")} == {"CHECK", *STAGES} - {"QUANTIFY"}


def test_the_samplesheet_s_labels_are_in_scans_and_failures_as_parquet_and_csv(day: Day) -> None:
    scans, failures = day.rows("scans"), day.rows("failures")
    assert (len(scans), len(failures)) == (6, 1)
    for table, rows in (("scans", scans), ("failures", failures)):
        assert {row["group"] for row in rows.values()} <= {"drug", "placebo"}
        with (day.launch.out / "tables" / f"{table}.csv").open(newline="") as file:
            assert {row["study_id"]: row["visit"] for row in csv.DictReader(file)} == {
                study: row["visit"] for study, row in rows.items()
            }
    assert {study: row["diabetes"] for study, row in scans.items()}[CORRECTED[0]] is True
    assert {(row["patient"], row["visit"]) for row in day.rows("follow_up").values()} == {
        ("P001", "follow-up"),
        ("P002", "follow-up"),
    }
    assert (day.launch.out / "tables" / "cohort.duckdb").exists()


def test_the_command_s_label_maps_are_measured_and_the_tables_name_it(day: Day) -> None:
    others = {study: row for study, row in day.rows("scans").items() if study not in CORRECTED}
    assert len(others) == 3
    for row in others.values():
        assert (row["labels_source"], row["labels_reader"], row["segment_mode"]) == ("network", None, "command")
        assert row["model"] == f"'{Path(sys.executable).name}' {{files}} {{images}} {{labels}}"
        assert row["confidence"] is row["scar_probability"] is row["device"] is None
        # a disc of half the ring's outer radius is a quarter; the brightest fifth of the rest is scar, but for ties
        assert row["scar_percent_lv"] == pytest.approx(20.0, abs=0.5)
        assert row["blood_pool_ml"] / row["myocardium_ml"] == pytest.approx(1 / 3, rel=0.05)  # voxels


def test_the_reference_of_one_study_is_compared_with(day: Day) -> None:
    scans = day.rows("scans")
    compared = scans.pop(COMPARED)
    assert compared["scar_dice"] == compared["myocardium_dice"] == 1.0
    assert compared["reference_scar_ml"] == pytest.approx(compared["scar_ml"])
    assert {row["scar_dice"] for row in scans.values()} == {None}
    published = {path.name for path in (day.launch.out / "studies" / COMPARED).iterdir()}
    assert published == {"image.nii.gz", "labels.nii.gz", "overlay.png", "plain.webp", "study.json"}


def test_the_chosen_reader_s_label_maps_are_measured_and_the_network_s_stay_beside_them(day: Day) -> None:
    scans = day.rows("scans")
    with (day.launch.folder / "made" / "truth.csv").open(newline="") as file:
        truth = {row["study_id"]: float(row["scar_percent_lv"]) for row in csv.DictReader(file)}
    for study in CORRECTED:
        row = scans[study]
        assert (row["labels_source"], row["labels_reader"], row["model"]) == ("corrected", "anna", None)
        assert row["scar_percent_lv"] == pytest.approx(truth[study], abs=0.01)
        assert row["network_scar_percent_lv"] == pytest.approx(20.0, abs=0.5)
        assert row["network_scar_dice"] < 1.0
        files = day.launch.out / "studies" / study
        assert (files / "network_labels.nii.gz").read_bytes() == day.networks[study]
        assert (files / "labels.nii.gz").read_bytes() != day.networks[study]


def test_two_readers_are_compared_in_the_tables_and_in_the_report(day: Day) -> None:
    readers, scans = day.rows("readers"), day.rows("scans")
    assert set(readers) == set(CORRECTED)
    for study, row in readers.items():
        assert (row["first_reader"], row["second_reader"]) == ("anna", "ben")
        assert row["first_scar_ml"] == scans[study]["scar_ml"] < row["second_scar_ml"]
        assert row["scar_dice"] < 1.0 == row["blood_pool_dice"]
    assert "anna and ben: 3 studies" in (day.launch.out / "report" / "index.html").read_text()


def test_the_notebook_runs_on_the_page_s_results(day: Day) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell.get("outputs") for cell in cells)
    (day.launch.folder.parent / "examples").mkdir()
    names: dict[str, Any] = {}
    with chdir(day.launch.folder.parent / "examples"):
        shown = [_run_cell(source, names) for source in sources]
    figures = [one for one in shown if isinstance(one, Plate)]
    assert [figure.name for figure in figures] == [
        *("flow", "distribution_scar_percent_lv", "bullseye_mean", "drift_date")
    ]
    assert all(figure.drawings and "<img alt=" in figure._repr_html_() for figure in figures)
    assert [len(one) > 0 for one in shown if isinstance(one, pd.DataFrame)] == [True] * 4


def _run_cell(source: str, names: dict[str, Any]) -> object:
    """Run a cell, and return the value that a notebook would show: that of its last line, if it is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None
