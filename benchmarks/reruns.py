"""Run a made cohort, change one thing after the other, and see what -resume does again and how long that takes.

.venv/bin/python -m benchmarks.reruns --studies 32 --options '--batch_min 2 --batch_max 8' --out DIR
.venv/bin/python -m benchmarks.reruns --studies 100 --options --fast --changes 2 --out DIR

It prints the table "Reruns" of docs/performance.md, and ends with exit code 1 if a run did more than it should; the
second form ends after a corrected label map. DIR must not exist. Leave the code alone meanwhile: tasks run the
checkout's.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from benchmarks.scale import BIN, REPOSITORY, launch
from benchmarks.trace import read_trace
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import read_nifti, write_nifti
from scarnet_cli.phantom.cohort import write_cohort
from scarnet_cli.tables.dictionary import GATHERED
from scarnet_cli.tables.parquet import read_table

_BATCH_STAGES: Final = ("CONVERT", "CROP", "SEGMENT", "QUANTIFY")
_PROCESSES: Final = ("CHECK", "INDEX", *_BATCH_STAGES, "GATHER", "REPORT")
_NETWORKS: Final = ("localiser", "scarnet")


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a benchmark: made studies, their samplesheet, the networks, and where Nextflow runs.

    Attributes:
        folder: The folder.
        rows: The samplesheet's rows, study -> [folder of its files, group, rv_insertion], which changes edit.
    """

    folder: Path
    rows: dict[str, list[str]]

    @property
    def weights(self) -> Path:
        """Folder of the networks, with SHA256SUMS."""
        return self.folder / "weights"

    def write_sheet(self) -> None:
        """Write the samplesheet as the rows are now."""
        lines = (",".join([study, *cells]) for study, cells in self.rows.items())
        (self.folder / "sheet.csv").write_text("\n".join(["study,dicom,group,rv_insertion", *lines]) + "\n")

    def write_digests(self) -> None:
        """Write SHA256SUMS of the networks."""
        digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.weights.glob("*.safe*")}
        (self.weights / "SHA256SUMS").write_text("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)))


@dataclass(frozen=True, slots=True)
class Change:
    """A change between two runs.

    Attributes:
        name: What changes, for the table.
        edit: Makes the change.
        options: Options that this run alone has.
        redone: Processes that should run, those of batches included.
        batches: In how many batches those should, at the most; None for all.
        seen: A column of scans and the value that exactly one study should have in it afterwards; None to look at none.
        resume: Whether the run may take anything from the cache.
        same: Whether the tables should stay as they are.
    """

    name: str
    edit: Callable[[Place], None] = lambda _place: None
    options: tuple[str, ...] = ()
    redone: tuple[str, ...] = ("INDEX",)
    batches: int | None = None
    seen: tuple[str, str] | None = None
    resume: bool = True
    same: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A run that succeeded.

    Attributes:
        seconds: Its duration.
        ran: Process -> number of its tasks that ran.
        tasks: Process -> number of all its tasks.
        tables: Name -> rows of the tables that it left.
    """

    seconds: float
    ran: Counter[str]
    tasks: Counter[str]
    tables: dict[str, pa.Table]


def changes(last: str) -> list[Change]:
    """Return the changes in the order in which they are made; `last` is the study that is not there at first."""
    rest = ("GATHER", "REPORT")
    stages = ("INDEX", *_BATCH_STAGES, *rest)
    # A study that comes or goes may move the border between two batches.
    return [
        Change("nothing", same=True),
        Change(
            "a study's label map is corrected",
            correct,
            options=("--corrected", "corrected"),
            redone=("INDEX", "QUANTIFY", *rest),
            batches=1,
            seen=("labels_source", "corrected"),
        ),
        Change("a study's group in the samplesheet", relabel, redone=("INDEX", *rest), seen=("group", "placebo")),
        Change("`--tables_format csv`", options=("--tables_format", "csv"), redone=("INDEX", *rest), same=True),
        Change("`--max_cpus 1`", options=("--max_cpus", "1"), same=True),
        Change("a study is added", lambda place: add(place, last), redone=stages, batches=2),
        Change("a file of a study", lambda place: touch(place, last), redone=stages, batches=1),
        Change("a study's `rv_insertion`", lambda place: insert(place, last), redone=stages, batches=1),
        Change("a study is removed", remove, redone=stages, batches=2),
        Change(
            "the weights, or their decision, under the same name",
            decide,
            redone=("CHECK", "INDEX", "SEGMENT", "QUANTIFY", *rest),
        ),
        Change(
            "`--max_cpus 1`, without `-resume`",
            options=("--max_cpus", "1"),
            redone=_PROCESSES,
            resume=False,
            same=True,
        ),
    ]


def correct(place: Place) -> None:
    """Put a corrected label map of the first study beside the samplesheet: in the middle slice all the wall is scar."""
    study = next(iter(place.rows))
    labels = read_nifti(place.folder / "results" / "studies" / study / "labels.nii.gz")
    drawn = labels.array.copy()
    middle = drawn[len(drawn) // 2]
    middle[middle == Label.MYOCARDIUM] = Label.SCAR
    write_nifti(labels.with_array(drawn), place.folder / "corrected" / f"{study}.nii.gz")


def relabel(place: Place) -> None:
    """Give the first study another group."""
    next(iter(place.rows.values()))[1] = "placebo"


def add(place: Place, study: str) -> None:
    """Name another study in the samplesheet."""
    place.rows[study] = [f"made/dicom/{study}", "drug", ""]


def remove(place: Place) -> None:
    """Take the first study out of the samplesheet: without the last one all batches would be those of the first run."""
    del place.rows[next(iter(place.rows))]


def touch(place: Place, study: str) -> None:
    """Change the time of a study's files, so that they count as others; their content stays."""
    for path in (place.folder / place.rows[study][0]).rglob("*"):
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 10**9))


def insert(place: Place, study: str) -> None:
    """Name where a study's right ventricle begins."""
    place.rows[study][2] = "45 -60 18"


def decide(place: Place) -> None:
    """Keep another decision with the network that labels."""
    path, made = place.weights / "scarnet.safetensors", place.folder / "made.safetensors"
    (place.folder / "decision.json").write_text('{"scar_share": 0.6}')
    command = [BIN / "scarnet", "weights", "decide", path, place.folder / "decision.json", "--out", made]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    made.replace(path)
    place.write_digests()


def make_place(studies: int, folder: Path) -> tuple[Place, str]:
    """Make the cohort and copy the networks; return the place, and the study that is to be added later."""
    folder.mkdir(parents=True)
    write_cohort(studies + 1, folder / "made")
    names = sorted(path.name for path in (folder / "made" / "dicom").iterdir())
    place = Place(folder, {})
    for name in names[:-1]:
        add(place, name)
    place.write_sheet()
    place.weights.mkdir()
    for name in _NETWORKS:
        shutil.copy(REPOSITORY / "weights" / f"{name}.safetensors", place.weights)
    place.write_digests()
    return place, names[-1]


def run(place: Place, options: Sequence[str], *, resume: bool = True) -> Run:
    """Run the pipeline and return what it did."""
    fixed = ("--input", "sheet.csv", "--weights_dir", "weights")
    cost = launch(place.folder, [*fixed, *options, *(["-resume"] if resume else [])])
    rows = [(row["process"], row["status"]) for row in read_trace(place.folder / "results")]
    tables = {name: read_table(place.folder / "results" / "tables" / f"{name}.parquet") for name in GATHERED}
    ran = Counter(process for process, status in rows if status == "COMPLETED")
    return Run(cost.wall_s, ran, Counter(process for process, _ in rows), tables)


def problems(change: Change, done: Run, before: Run) -> list[str]:
    """Return what is not as it should be after a change; `before` is the run before it."""
    found = [f"{process} ran" for process in done.ran if process not in change.redone]
    if change.batches is not None:
        found += [f"{name} ran {done.ran[name]} times" for name in _BATCH_STAGES if done.ran[name] > change.batches]
    if change.seen is not None:
        column, value = change.seen
        count = done.tables["scans"][column].to_pylist().count(value)
        found += [f"{count} studies have {column} {value}"] * (count != 1)
    if change.same:
        found += [f"{name} differs" for name in GATHERED if not done.tables[name].equals(before.tables[name])]
    return found


def row(name: str, done: Run, full: Run, verdict: str) -> str:
    """Return a row of the table."""
    ran = ", ".join(
        f"{process} {done.ran[process]} of {done.tasks[process]}" if process in _BATCH_STAGES else process
        for process in _PROCESSES
        if done.ran[process]
    )
    share = 100 * done.seconds / full.seconds
    return f"| {name} | {ran} | {done.seconds:.0f} | {share:.1f} % | {verdict} |\n"


def main() -> None:
    """Make the cohort, run it after each change, and print the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=32)
    parser.add_argument("--out", type=Path, required=True, help="Folder to make; about 60 MB a study.")
    parser.add_argument("--options", default="", help="Options of every run, such as '--fast'.")
    parser.add_argument("--changes", type=int, help="Make only so many of the changes, from the first.")
    arguments = parser.parse_args()
    place, last = make_place(arguments.studies, arguments.out.absolute())
    full = before = run(place, arguments.options.split(), resume=False)
    sys.stdout.write(
        "| what changes | tasks that run | seconds | of the first run | as it should be |\n|---|---|---|---|---|\n"
    )
    sys.stdout.write(row(f"first run of {arguments.studies} studies", full, full, ""))
    wrong = False
    for change in changes(last)[: arguments.changes]:
        sys.stdout.flush()
        change.edit(place)
        place.write_sheet()
        done = run(place, [*arguments.options.split(), *change.options], resume=change.resume)
        found = problems(change, done, before)
        wrong = wrong or bool(found)
        same = "yes, the same tables" if change.same else "yes"
        sys.stdout.write(row(change.name, done, full, f"no: {', '.join(found)}" if found else same))
        before = done
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
