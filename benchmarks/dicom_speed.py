"""Time the index and the conversion on made studies, and dcm2niix on the same files.

.venv/bin/python -m benchmarks.dicom_speed --out DIR [--files 100000]

Every study is a copy of one with other UIDs: a short-axis stack with its twin, a cine, a TI scout, a localiser and a
long axis, with small images, 100 files in all. CPU seconds, which a busy machine changes little, are printed with wall
seconds. Every file is read once before the timing, so that the disk does not count.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dcm2niix
import numpy as np
import SimpleITK as sitk  # noqa: N813 (the library's own custom)

from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.dicom.pixels import read_volume
from scarnet_cli.image.volume import Volume, to_sitk
from scarnet_cli.index.files.read_files import read_file
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.phantom.dicom.habits import Habit, Role
from scarnet_cli.phantom.dicom.write import StudyPlan, write_study
from scarnet_cli.stage.folder import study_folder

A_STUDY: Final = 100
DISTRACTORS: Final[tuple[Role, ...]] = ("localiser", "cine", "ti_scout", "long_axis")
_UID: Final = re.compile(rb"2\.25\.\d{20,39}")
_DCM2NIIX: Final = dcm2niix.bin  # the program itself, because the command of that name starts Python first
_REPEATS: Final = 15


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a run: CPU seconds, wall seconds and peak memory in MiB."""

    cpu_s: float
    wall_s: float
    peak_mib: float = 0.0

    def show(self, what: str, count: int, unit: str) -> None:
        """Print a line."""
        peak = f", peak {self.peak_mib:.0f} MiB" if self.peak_mib else ""
        rate = f"{count / self.cpu_s:,.0f} {unit}/s of CPU" if count > 1 else f"{1000 * self.cpu_s:.1f} ms of CPU"
        sys.stdout.write(f"{what}: {rate} ({self.cpu_s:.2f} s; {self.wall_s:.2f} s on the clock{peak})\n")


def main() -> None:
    """Make the files if they are missing, and print the cost of index and conversion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="Directory of the files and of what is made of them.")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1, help="Processes that read headers.")
    arguments = parser.parse_args()
    source = arguments.out / f"in-{arguments.files}"
    if not source.is_dir():
        make_studies(source, arguments.files // A_STUDY)
    time_index(source, arguments.out / "index", arguments.files, arguments.jobs)
    time_conversion(arguments.out / "stack")


def make_studies(source: Path, count: int, files: int = A_STUDY) -> None:
    """Write studies of `files` files each, at most `A_STUDY`; every UID ends in the study's number."""
    template = source.with_name("template")
    paths = write_template(template, (18, 16, 16), DISTRACTORS)[:files]
    contents = [(path.relative_to(template), path.read_bytes()) for path in paths]
    for number in range(count):
        digits = f"{number:06d}".encode()
        for name, content in contents:
            path = source / digits[:4].decode() / digits.decode() / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_UID.sub(lambda uid, digits=digits: uid[0][:-6] + digits, content))
    shutil.rmtree(template)


def write_template(folder: Path, shape_zyx: tuple[int, int, int], distractors: tuple[Role, ...]) -> list[Path]:
    """Write one study and return its files, the short-axis stacks first."""
    values = np.random.default_rng(0).integers(0, 4000, shape_zyx).astype(np.int16)
    # As smooth as an image, so that compression has as much work as on one.
    for axis in (1, 2):
        values = (values + np.roll(values, 1, axis) + np.roll(values, 2, axis)) // 3
    image = Volume(values, (8.0, 1.4, 1.4), (-80.0, -90.0, 10.0), np.eye(3))
    plan = StudyPlan("speed", Habit(distractors=distractors, twin="series"), image, "psir", twin=image)
    write_study(plan, folder)
    return sorted((path for path in folder.rglob("*") if path.is_file()), reverse=True)


def time_index(source: Path, out: Path, files: int, jobs: int) -> None:
    """Print the cost of headers, of an index of all files, of one with unchanged files, and of dcm2niix on some."""
    some = [str(path.relative_to(source)) for path in list((source / "0000").rglob("*.dcm"))]
    for path in source.rglob("*.dcm"):
        path.read_bytes()
    measured(lambda: [read_file(source, path) for path in some]).show("headers", len(some), "files")
    index = [sys.executable, "-m", "scarnet_cli", "index", str(source), "--jobs", str(jobs), "--out"]
    run([*index, str(out / "first")], peak=True).show("index of new files", files, "files")
    again = [*index, str(out / "second"), "--previous", str(out / "first" / "index.parquet")]
    run(again, peak=True).show("index of unchanged files", files, "files")
    os.utime(source / some[0], ns=(1, 1))
    run(again, peak=True).show("index with one file changed", files, "files")
    converted = out / "dcm2niix"
    shutil.rmtree(converted, ignore_errors=True)
    converted.mkdir()
    run(dcm2niix_command("n", converted, source / "0000")).show(
        f"dcm2niix on {len(some)} of them, converting", len(some), "files"
    )
    shutil.rmtree(out)


def time_conversion(out: Path) -> None:
    """Print the cost of one series of 12 slices of 256 x 256, by us in process and by dcm2niix as a process."""
    source = out / "in"
    paths = write_template(source, (12, 256, 256), ())
    for path in paths[12:]:
        path.unlink()
    (study,) = index_input(source, None, IndexOptions()).studies
    entry = study.entry
    if entry is None:
        sys.exit(f"{study.failure}")
    slices = entry.sources

    def uncompressed() -> None:
        sitk.WriteImage(to_sitk(read_volume(source, slices)[0]), str(out / "ours.nii"))

    best(lambda: measured(uncompressed)).show("a series to .nii, in process", 1, "")
    best(lambda: run(dcm2niix_command("n", out, source))).show("dcm2niix -z n", 1, "")
    ours = study_folder(out, "ours")
    best(lambda: measured(lambda: convert_study(entry, source, ours))).show("convert_study to .nii.gz", 1, "")
    best(lambda: run(dcm2niix_command("i", out, source))).show("dcm2niix -z i", 1, "")
    best(lambda: run(dcm2niix_command("y", out, source))).show("dcm2niix -z y", 1, "")
    shutil.rmtree(out)


def dcm2niix_command(compression: str, out: Path, source: Path) -> list[str]:
    """Return a dcm2niix command that overwrites earlier output and names files by series."""
    return [_DCM2NIIX, "-z", compression, "-w", "1", "-f", "%j", "-d", "9", "-o", str(out), str(source)]


def best(measure: Callable[[], Cost]) -> Cost:
    """Return the lowest of several costs, which other work disturbed the least."""
    return min((measure() for _ in range(_REPEATS)), key=lambda cost: cost.cpu_s)


def measured(work: Callable[[], object]) -> Cost:
    """Return the cost of a function in this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def run(command: Sequence[str], *, peak: bool = False) -> Cost:
    """Return the cost of a command with its children; a small command's `peak` would be that of this process."""
    wall = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - wall, usage.ru_maxrss / 1024 * peak)


if __name__ == "__main__":
    main()
