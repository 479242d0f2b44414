"""Run a cohort and draw where its time goes: a bar for each task, filled as far as it used the cores.

.venv/bin/python -m benchmarks.run_profile --input DICOM --out DIR --picture docs/run_profile.svg

Prints the row of the table "Throughput" of docs/performance.md. DIR must not exist; Nextflow is launched in it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from markupsafe import Markup

from benchmarks.scale import launch
from benchmarks.trace import read_trace, seconds
from scarnet_cli.draw.plots import Axis
from scarnet_cli.draw.svg import line, text_at
from scarnet_cli.files import write_bytes

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _BAR = 760, 92, 190, 34, 34, 22
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.grid{stroke:#ddd}.axis{stroke:#333}"
    ".time{fill:#cfe3f1}.cores{fill:#0072b2}"
)


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a run.

    Attributes:
        process: Its process.
        start_s: When its command began, from the submission of the run's first task.
        spent_s: Duration of its command.
        cores: How many it used in the mean.
    """

    process: str
    start_s: float
    spent_s: float
    cores: float


def read_tasks(results: Path) -> list[Task]:
    """Return the tasks of a run from Nextflow's trace, in the order of their submission."""
    rows = sorted(read_trace(results), key=lambda row: row["submit"])
    first = datetime.fromisoformat(rows[0]["submit"])
    tasks: list[Task] = []
    for row in rows:
        spent_s = seconds(row["realtime"])
        waited_s = seconds(row["duration"]) - spent_s
        start_s = (datetime.fromisoformat(row["submit"]) - first).total_seconds() + waited_s
        cores = float(row["%cpu"].rstrip("%")) / 100
        tasks.append(Task(row["process"], start_s, spent_s, cores))
    return tasks


def draw_tasks(title: str, tasks: Sequence[Task], cores: int) -> str:
    """Return the picture: a row for each process, with the seconds and the cores that its tasks used."""
    names = list(dict.fromkeys(task.process for task in tasks))
    floor = _TOP + _ROW * len(names)
    across = Axis(0.0, max(task.start_s + task.spent_s for task in tasks), _LEFT, _WIDTH - _RIGHT)
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    parts = [head.format(_WIDTH, floor + 40, title)]
    parts.append(Markup('<style>{}</style><rect width="100%" height="100%" fill="#fff"/>').format(Markup(_STYLE)))
    parts.append(Markup('<text class="title" x="12" y="20">{}</text>').format(title))
    for tick in across.ticks():
        parts.append(line("grid", across.at(tick), _TOP, across.at(tick), floor))
        parts.append(text_at("middle", across.at(tick), floor + 16, f"{tick:g}"))
    parts.append(line("axis", _LEFT, floor, _WIDTH - _RIGHT, floor))
    parts.append(text_at("middle", (_LEFT + _WIDTH - _RIGHT) / 2, floor + 32, "seconds since the first task"))
    shape = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    for row, name in enumerate(names):
        top = _TOP + row * _ROW + (_ROW - _BAR) / 2
        own = [task for task in tasks if task.process == name]
        parts.append(text_at("end", _LEFT - 8, top + 15, name))
        for task in own:
            left = across.at(task.start_s)
            width = max(across.at(task.start_s + task.spent_s) - left, 1.0)
            filled = _BAR * min(task.cores / cores, 1.0)
            parts.append(shape.format("time", left, top, width, _BAR))
            parts.append(shape.format("cores", left, top + _BAR - filled, width, filled))
        spent_s = sum(task.spent_s for task in own)
        used = sum(task.spent_s * task.cores for task in own) / max(spent_s, 1e-6)
        parts.append(text_at("start", _WIDTH - _RIGHT + 10, top + 15, f"{spent_s:.1f} s, {used:.1f} of {cores} cores"))
    return Markup("").join([*parts, Markup("</svg>\n")])


def main() -> None:
    """Run the cohort, draw it, and print studies a minute and the share of the tasks in the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="Folder to make.")
    parser.add_argument("--picture", type=Path, required=True, help="SVG file to write.")
    parser.add_argument("--options", default="", help="Options of the run, such as '--fast'.")
    arguments = parser.parse_args()
    folder: Path = arguments.out.absolute()
    folder.mkdir(parents=True)
    cost = launch(folder, ["--input", arguments.input.absolute(), *arguments.options.split()])
    tasks = read_tasks(folder / "results")
    studies = pq.read_metadata(folder / "results/tables/scans.parquet").num_rows
    title = f"{studies} studies: {cost.wall_s:.0f} s from the command to the last file"
    write_bytes(arguments.picture, draw_tasks(title, tasks, os.cpu_count() or 1).encode())
    spent_s = sum(task.spent_s for task in tasks)
    rate, ratio = 60 * studies / cost.wall_s, cost.wall_s / spent_s
    sys.stdout.write(
        f"| {studies} | {cost.wall_s:.0f} | {rate:.1f} | {cost.cpu_s:.0f} | {spent_s:.0f} | {ratio:.2f} |\n"
    )


if __name__ == "__main__":
    main()
