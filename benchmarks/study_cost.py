"""Tell what a study costs in each stage: CPU seconds, and the bytes that a task takes from other tasks and leaves.

.venv/bin/python -m benchmarks.study_cost LAUNCH_FOLDER

LAUNCH_FOLDER is where `nextflow run` was started, with its `work` and `results`; no task may be cached. Prints the rows
of the table in docs/cloud.md.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from benchmarks.trace import read_trace, seconds

_MIB: Final = 1 << 20


def main() -> None:
    """Print a row for each process and their sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="Folder where Nextflow was launched.")
    folder: Path = parser.parse_args().folder
    studies = pq.read_metadata(folder / "results/tables/scans.parquet").num_rows
    costs: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in read_trace(folder / "results"):
        (task,) = folder.glob(f"work/{row['hash']}*")
        cpu = seconds(row["realtime"]) * float(row["%cpu"].rstrip("%")) / 100
        cost = costs[row["process"]]
        cost[:] = [a + b for a, b in zip(cost, (cpu, *staged_and_made(task)), strict=True)]
    lines = [(name, *cost) for name, cost in costs.items()]
    lines.append(("sum", *(sum(column) for column in zip(*costs.values(), strict=True))))
    for name, cpu, taken, made in lines:
        each = f"| {name} | {cpu / studies:.2f} | {taken / studies / _MIB:.2f} | {made / studies / _MIB:.2f} |\n"
        sys.stdout.write(each)


def staged_and_made(task: Path) -> tuple[int, int]:
    """Return the bytes that a task's folder links to in other tasks' folders, and those of its own files."""
    staged = made = 0
    for path in task.iterdir():
        if path.is_symlink() and not path.resolve().is_relative_to(task.resolve()):
            staged += size(path.resolve())
        elif not path.is_symlink() and not path.name.startswith(".command") and path.name != ".exitcode":
            made += size(path)
    return staged, made


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(one.stat().st_size for one in files if one.is_file() and not one.is_symlink())


if __name__ == "__main__":
    main()
