"""Run made cohorts of growing size and tell what each costs, so that a cost that does not grow with the studies shows.

.venv/bin/python -m benchmarks.scale --studies 10 100 1000 --out DIR
.venv/bin/python -m benchmarks.scale --stub-batches 500 5000 --out DIR
.venv/bin/python -m benchmarks.scale --index 1000 10000 --tables 1000 10000 --out DIR

The first form runs the pipeline end to end on phantoms. The second runs all processes as stubs, so that what is left
is Nextflow's own part. The third runs the tasks that see the whole cohort: INDEX over small files, GATHER and
REPORT over random numbers. All print rows of the tables "Scale" of docs/performance.md. DIR must not exist; it keeps
one folder for each run. Leave the code alone meanwhile: tasks run the checkout's.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final

import pyarrow.parquet as pq

from benchmarks.dicom_speed import make_studies, run
from benchmarks.gather_load import make_fragments
from benchmarks.trace import read_trace, seconds
from scarnet_cli.phantom.cohort import write_cohort

REPOSITORY: Final = Path(__file__).parents[1]
BIN: Final = REPOSITORY / ".venv" / "bin"
_MIB: Final = 1 << 20
_FILES: Final = 5  # of a study to index: little more than one costs by itself
_BATCH: Final = 20  # studies of one, in the mean, by the default sizes
_ONCE: Final = ("INDEX", "GATHER", "REPORT")  # the processes that see the whole cohort in one task


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took.

    Attributes:
        wall_s: From the command to its end.
        cpu_s: Of Nextflow and all tasks.
        jvm_mib: Peak memory of Nextflow's JVM.
    """

    wall_s: float
    cpu_s: float
    jvm_mib: float


@dataclass(frozen=True, slots=True)
class Size:
    """What a folder holds; links are entries without bytes, a file with two names is counted once.

    Attributes:
        entries: Files, folders and links.
        size_bytes: Of the files.
    """

    entries: int
    size_bytes: int


def launch(folder: Path, options: Sequence[object], variables: Mapping[str, str] = {}) -> Cost:
    """Run the pipeline in `folder`, into its `results`, and return what it took."""
    command = [BIN / "nextflow", "run", REPOSITORY / "main.nf", "-ansi-log", "false", *options]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (folder / "run.log").open("w") as log:
        child = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, **variables},
            start_new_session=True,
        )
        watch = JvmWatch(child.pid)
        code = child.wait()
        peak = watch.stop()
    if code:
        sys.exit(f"The run failed; see {folder / 'run.log'}.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - started, cpu, peak)


class JvmWatch:
    """Follows the peak memory of the JVM in a session of processes."""

    def __init__(self, session: int) -> None:
        """Begin to watch."""
        self._session, self._peak_kib, self._end = session, 0, Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop and return the peak in MiB."""
        self._end.set()
        self._thread.join()
        return self._peak_kib / 1024

    def _watch(self) -> None:
        while not self._end.wait(0.5):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    name, rest = (process / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
                    if name == "java" and int(rest.split()[3]) == self._session:
                        peaks = re.findall(r"VmHWM:\s*(\d+)", (process / "status").read_text())
                        self._peak_kib = max(self._peak_kib, *map(int, peaks), 0)
                except OSError:  # it has ended
                    continue


def measure(folder: Path) -> Size:
    """Return what a folder holds."""
    entries, files = 0, {}
    for path in folder.rglob("*"):
        entries += 1
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            files[status.st_ino] = status.st_size
    return Size(entries, sum(files.values()))


def task_seconds(results: Path) -> dict[str, float]:
    """Return the duration of all tasks of each process."""
    spent: dict[str, float] = defaultdict(float)
    for row in read_trace(results):
        spent[row["process"]] += seconds(row["realtime"])
    return spent


def run_cohort(studies: int, folder: Path, options: Sequence[str]) -> str:
    """Make a cohort, run it, and return its row."""
    write_cohort(studies, folder / "made")
    cost = launch(folder, ["--input", "made/dicom", *options])
    measured = pq.read_metadata(folder / "results/tables/scans.parquet").num_rows
    images = sum(path.stat().st_size for path in (folder / "results/studies").glob("*/image.nii.gz"))
    work, out = measure(folder / "work"), measure(folder / "results")
    spent = task_seconds(folder / "results")
    cells = [
        f"{studies} ({measured})",
        f"{cost.wall_s:.0f}",
        f"{cost.cpu_s / studies:.1f}",
        *(f"{spent[name]:.1f}" for name in _ONCE),
        f"{cost.jvm_mib:.0f}",
        f"{work.entries / studies:.1f}",
        f"{work.size_bytes / images:.2f}",
        f"{out.entries / studies:.1f}",
        f"{out.size_bytes / studies / _MIB:.2f}",
    ]
    return f"| {' | '.join(cells)} |\n"


def run_stubs(batches: int, folder: Path, options: Sequence[str]) -> str:
    """Run all processes as stubs over so many batches, then again from the cache, and return the row."""
    (folder / "input").mkdir()
    arguments = ["-stub-run", "--input", "input", *options]
    first, again = (
        launch(folder, [*arguments, *resume], {"SCARNET_STUB_BATCHES": str(batches)}) for resume in ([], ["-resume"])
    )
    work = measure(folder / "work")
    cells = [
        f"{batches}",
        f"{first.wall_s:.0f}",
        f"{first.cpu_s:.0f}",
        f"{first.jvm_mib:.0f}",
        f"{again.wall_s:.0f}",
        f"{again.jvm_mib:.0f}",
        f"{work.entries / batches:.0f}",
    ]
    return f"| {' | '.join(cells)} |\n"


def index_studies(studies: int, folder: Path, _options: Sequence[str]) -> str:
    """Index studies of `_FILES` files each, and again with nothing changed; return the row."""
    make_studies(folder / "made", studies, _FILES)
    index = [str(BIN / "scarnet"), "index", str(folder / "made"), "--jobs", "1", "--out"]
    first = run([*index, str(folder / "first")], peak=True)
    again = run([*index, str(folder / "again"), "--previous", str(folder / "first" / "index.parquet")], peak=True)
    batches = sum(1 for _ in (folder / "first" / "batches").iterdir())
    costs = (f"{first.cpu_s:.1f}", f"{first.peak_mib:.0f}", f"{again.cpu_s:.1f}", f"{again.peak_mib:.0f}")
    return f"| {studies} | {' | '.join(costs)} | {batches} |\n"


def gather_studies(studies: int, folder: Path, _options: Sequence[str]) -> str:
    """Gather made tables of so many studies, write their report, and return the row."""
    fragments = map(str, make_fragments(folder / "made", studies, _BATCH))
    scarnet = str(BIN / "scarnet")
    gather = run([scarnet, "gather", *fragments, "--out", str(folder / "tables")], peak=True)
    (folder / "pictures").mkdir()
    pages = ("--studies", str(folder / "pictures"), "--out", str(folder / "report"))
    report = run([scarnet, "report", str(folder / "tables"), *pages], peak=True)
    sizes = [measure(folder / name) for name in ("tables", "report")]
    costs = [f"{cost.cpu_s:.1f} | {cost.peak_mib:.0f}" for cost in (gather, report)]
    held = [f"{size.size_bytes / studies / 1024:.1f}" for size in sizes]
    return f"| {studies} | {' | '.join([*costs, *held])} | {sizes[1].entries / studies:.2f} |\n"


def main() -> None:
    """Run each size in a folder of its own and print the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, nargs="*", default=[], help="Sizes of cohorts to run end to end.")
    parser.add_argument("--stub-batches", type=int, nargs="*", default=[], help="Numbers of batches to run as stubs.")
    parser.add_argument("--index", type=int, nargs="*", default=[], help="Numbers of studies to index.")
    parser.add_argument("--tables", type=int, nargs="*", default=[], help="Numbers of studies to gather and report.")
    parser.add_argument("--out", type=Path, required=True, help="Folder to make; about 4 MB a study.")
    parser.add_argument("--options", default="", help="Options of every run, such as '--fast'.")
    arguments = parser.parse_args()
    kinds: list[tuple[list[int], Callable[[int, Path, Sequence[str]], str]]] = [
        (arguments.studies, run_cohort),
        (arguments.stub_batches, run_stubs),
        (arguments.index, index_studies),
        (arguments.tables, gather_studies),
    ]
    for sizes, measured in kinds:
        for size in sizes:
            folder = arguments.out.absolute() / f"{measured.__name__}_{size}"
            folder.mkdir(parents=True)
            sys.stdout.write(measured(size, folder, arguments.options.split()))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
