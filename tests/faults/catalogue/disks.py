"""Disks that are full, read-only or gone: of the work directory, the output, the input, TMPDIR, the launch folder."""

import subprocess
from functools import partial
from pathlib import Path

from faults.fault import Ended, Fault, Promise
from faults.mounts import enlarge, own_disk, return_disk, set_read_only, set_writable, small_disk, vanish
from faults.scene import RunScene, wait_until

GROUP = "A disk is full, read-only or gone"


def fill(scene: RunScene, place: str, stage: str, free_kib: int, files: int | None = None) -> Ended:
    """Give a folder a disk with little space; enlarge it afterwards."""
    scene.begin_at(stage)
    folder = scene.folder / place
    small_disk(folder, free_kib=free_kib, files=files)
    ended = scene.run("-resume")
    enlarge(folder)
    return ended


def turn_read_only(scene: RunScene, place: str, stage: str) -> Ended:
    """Make a folder read-only for all that is opened once a task of this stage runs; writable again afterwards."""
    scene.begin_at(stage)
    content = own_disk(scene.folder / place)
    run = scene.start("-resume")
    scene.wait_for_task(stage, run)
    # A mount on which files are open for writing cannot be made read-only: another one takes its place.
    return_disk(scene.folder / place, content)
    set_read_only(scene.folder / place)
    ended = run.wait()
    set_writable(scene.folder / place)
    return ended


def begin_read_only(scene: RunScene, place: str) -> Ended:
    """Start with a folder that cannot be written; writable again afterwards."""
    scene.begin_at("SEGMENT")
    own_disk(scene.folder / place)
    set_read_only(scene.folder / place)
    ended = scene.run("-resume")
    set_writable(scene.folder / place)
    return ended


def take_away(scene: RunScene, place: str, stage: str) -> Ended:
    """Take a folder's disk away as soon as a task of this stage runs; bring it back when the run has ended."""
    scene.begin_at(stage)
    content = own_disk(scene.folder / place)
    run = scene.start("-resume")
    scene.wait_for_task(stage, run)
    vanish(scene.folder / place)
    ended = run.wait()
    return_disk(scene.folder / place, content)
    return ended


def take_away_for_a_moment(scene: RunScene, place: str, stage: str) -> Ended:
    """Take a folder's disk away until a task of this stage has failed; bring it back before the next attempt."""
    scene.begin_at(stage)
    content = own_disk(scene.folder / place)
    run = scene.start("-resume", extra={"SCARNET_FAULT_PAUSE_S": "5"})
    scene.wait_for_task(stage, run)
    vanish(scene.folder / place)
    wait_until(lambda: _says_why(scene.work), run, "a task that says why it fails")
    return_disk(scene.folder / place, content)
    return run.wait()


def _says_why(work: Path) -> int | None:
    said = [path for path in work.glob("*/*/.command.err") if "Error" in path.read_text(errors="replace")]
    return len(said) or None


def full_and_read_only_input(scene: RunScene) -> Ended:
    scene.begin_at("CONVERT")
    small_disk(scene.input, free_kib=0)
    set_read_only(scene.input)
    return scene.run("-resume")


def forget_tmpdir(scene: RunScene) -> Ended:
    """Name a TMPDIR that does not exist."""
    scene.begin_at("SEGMENT")
    (scene.folder / "tmp").rmdir()
    return scene.run("-resume")


def full_launch(scene: RunScene) -> Ended:
    """Fill the launch folder's disk, which holds Nextflow's cache and log, to the last block."""
    scene.begin_at("QUANTIFY")
    small_disk(scene.launch, free_kib=40)
    run = scene.start("-resume")
    scene.wait_for_task("QUANTIFY", run)
    with (scene.launch / "filler").open("wb") as filler:
        subprocess.run(["head", "-c", "1M", "/dev/zero"], stdout=filler, stderr=subprocess.DEVNULL, check=False)
    ended = run.wait()
    (scene.launch / "filler").unlink()
    enlarge(scene.launch)
    return ended


FAULTS = [
    *(
        Fault(
            f"full-work-{free}k",
            GROUP,
            f"work directory: {free} KiB are left when CONVERT begins",
            Promise.SAID,
            partial(fill, place="work", stage="CONVERT", free_kib=free),
            says="(?i)no space",
        )
        for free in (60, 2500)
    ),
    Fault(
        "full-work-inodes",
        GROUP,
        "work directory: 30 more files fit when CONVERT begins",
        Promise.SAID,
        partial(fill, place="work", stage="CONVERT", free_kib=100_000, files=30),
        says="(?i)no space",
    ),
    Fault(
        "readonly-work",
        GROUP,
        "work directory: read-only while SEGMENT runs",
        Promise.SAID,
        partial(turn_read_only, place="work", stage="SEGMENT"),
        says="(?i)read-only|only be read",
    ),
    Fault(
        "vanished-work",
        GROUP,
        "work directory: its disk goes away while CROP runs",
        Promise.SAID,
        partial(take_away, place="work", stage="CROP"),
        says="(?i)work directory|read-only|gone|only be read",
    ),
    Fault(
        "full-output",
        GROUP,
        "output: 100 KiB are left when QUANTIFY begins",
        Promise.SAID,
        partial(fill, place="results", stage="QUANTIFY", free_kib=100),
        says="(?i)no space|--outdir|publish",
    ),
    Fault(
        "readonly-output-at-start",
        GROUP,
        "output: read-only at the start",
        Promise.SAID,
        partial(begin_read_only, place="results"),
        says="(?i)read-only|cannot be written",
    ),
    Fault(
        "readonly-output",
        GROUP,
        "output: read-only while SEGMENT runs",
        Promise.SAID,
        partial(turn_read_only, place="results", stage="SEGMENT"),
        says="(?i)read-only|--outdir|publish",
    ),
    Fault(
        "vanished-output",
        GROUP,
        "output: its disk goes away while QUANTIFY runs",
        Promise.SAID,
        partial(take_away, place="results", stage="QUANTIFY"),
        says="(?i)read-only|--outdir|publish|gone",
    ),
    Fault(
        "readonly-full-input",
        GROUP,
        "input: read-only and full",
        Promise.GOES_ON,
        full_and_read_only_input,
    ),
    Fault(
        "vanished-input-convert",
        GROUP,
        "input: its disk goes away while CONVERT runs, until the run has ended",
        Promise.SAID,
        partial(take_away, place="cohort", stage="CONVERT"),
        says="(?i)input",
    ),
    Fault(
        "vanished-input-moment",
        GROUP,
        "input: its disk goes away while CONVERT runs, until one attempt has failed",
        Promise.GOES_ON,
        partial(take_away_for_a_moment, place="cohort", stage="CONVERT"),
        says="CONVERT",
    ),
    Fault(
        "vanished-input-export",
        GROUP,
        "input: its disk goes away while EXPORT runs, until one attempt has failed",
        Promise.GOES_ON,
        partial(take_away_for_a_moment, place="cohort", stage="EXPORT"),
        says="EXPORT",
        dicom=True,
    ),
    Fault(
        "vanished-input-index",
        GROUP,
        "input: its disk goes away while INDEX runs, until the run has ended",
        Promise.SAID,
        partial(take_away, place="cohort", stage="INDEX"),
        says="(?i)input",
    ),
    Fault(
        "full-tmpdir",
        GROUP,
        "TMPDIR: full",
        Promise.GOES_ON,
        partial(fill, place="tmp", stage="SEGMENT", free_kib=4),
    ),
    Fault(
        "readonly-tmpdir",
        GROUP,
        "TMPDIR: read-only",
        Promise.GOES_ON,
        partial(begin_read_only, place="tmp"),
    ),
    Fault("gone-tmpdir", GROUP, "TMPDIR: names a folder that does not exist", Promise.GOES_ON, forget_tmpdir),
    Fault(
        "readonly-launch",
        GROUP,
        "launch folder: read-only",
        Promise.SAID,
        partial(begin_read_only, place="launch"),
        says="(?i)cannot be written|not writable|read-only",
    ),
    Fault(
        "full-launch",
        GROUP,
        "launch folder: its disk, with Nextflow's cache and log, fills while QUANTIFY runs",
        Promise.GOES_ON,
        full_launch,
    ),
]
