"""Runs that are killed, interrupted, started twice, or whose clock goes back."""

import os
import signal
import time
from datetime import datetime
from functools import partial
from pathlib import Path

from faults.fault import Ended, Fault, Promise
from faults.scene import Running, RunScene

RANDOM_GROUP = "Nextflow is killed or interrupted at a random moment"
GROUP = "Runs meet each other, orphans, or another clock"
MOMENTS = 10
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def stop_anywhere(scene: RunScene, *, interrupt: bool) -> Ended:
    """Start anew, and stop Nextflow at a random moment of the whole run."""
    scene.begin_anew()
    begun = [datetime.fromisoformat(row["submit"]) for row in scene.trace()]
    run = scene.start()
    time.sleep(scene.chance.uniform(4.0, 8.0 + (max(begun) - min(begun)).total_seconds()))
    return _stop(run, interrupt=interrupt)


def _stop(run: Running, *, interrupt: bool) -> Ended:
    if run.runs:
        run.interrupt() if interrupt else run.kill()
    return run.wait()


def leave_orphan(scene: RunScene) -> Ended:
    """Kill Nextflow while SEGMENT runs, and go on while its task, an orphan now, still runs."""
    scene.begin_at("SEGMENT")
    run = scene.start("-resume")
    task = scene.wait_for_task("SEGMENT", run)
    os.kill(task, signal.SIGSTOP)
    run.kill()
    run.wait()
    going_on = scene.start("-resume")
    scene.wait_for_other_task("SEGMENT", going_on, task)
    os.kill(task, signal.SIGCONT)
    return going_on.wait()


def run_twice(scene: RunScene) -> Ended:
    """Start a second run into the same output from another folder while the first runs; return the second's end."""
    scene.begin_at("SEGMENT")
    first = scene.start("-resume")
    scene.wait_for_task("SEGMENT", first)
    other = scene.folder / "other"
    other.mkdir()
    second = scene.start(launch=other)
    ended = second.wait()
    first.wait()
    return ended


def set_clock_back(scene: RunScene) -> Ended:
    """Kill Nextflow while CROP runs, and go on with a clock that is three days back."""
    scene.begin_at("CROP")
    run = scene.start("-resume")
    scene.wait_for_task("CROP", run)
    run.kill()
    run.wait()
    return scene.run("-resume", extra=_clock("-3d"))


def let_clock_jump(scene: RunScene) -> Ended:
    """Set the clock a day back while CROP runs."""
    scene.begin_at("CROP")
    offset = scene.folder / "offset"
    offset.write_text("+0\n")
    run = scene.start("-resume", extra=_clock(None, offset))
    scene.wait_for_task("CROP", run)
    offset.write_text("-1d\n")
    return run.wait()


def _clock(offset: str | None, file: Path | None = None) -> dict[str, str]:
    if not Path(_FAKETIME).exists():
        message = "libfaketime is missing; Debian has it as `faketime`"
        raise OSError(message)
    given = {"FAKETIME": offset} if offset else {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_CACHE_DURATION": "1"}
    # Java waits by the monotonic clock, which shall go on; without the last it never rests.
    kept = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
    return {"LD_PRELOAD": _FAKETIME, **kept, **given}


FAULTS = [
    *(
        Fault(
            f"{'interrupt' if interrupt else 'kill'}-moment-{number}",
            RANDOM_GROUP,
            f"{'Ctrl-C' if interrupt else 'kill -9'}, moment {number}",
            Promise.SAID,
            partial(stop_anywhere, interrupt=interrupt),
            exit_codes=(130, 143, 1) if interrupt else (-9,),
            says="(?i)-resume" if interrupt else "",
        )
        for number in range(1, MOMENTS + 1)
        for interrupt in (number % 2 == 0,)
    ),
    Fault(
        "orphan-segment",
        GROUP,
        "Nextflow is killed; a task of SEGMENT that it left runs on beside its successor",
        Promise.GOES_ON,
        leave_orphan,
    ),
    Fault(
        "two-runs",
        GROUP,
        "a second run into the same output",
        Promise.SAID,
        run_twice,
        says="(?i)another run|in use|claimed|already",
    ),
    Fault(
        "clock-back",
        GROUP,
        "Nextflow is killed, and resumed with a clock three days back",
        Promise.GOES_ON,
        set_clock_back,
    ),
    Fault(
        "clock-jump",
        GROUP,
        "the clock goes a day back while CROP runs: Nextflow itself cannot count such a run's time",
        Promise.SAID,
        let_clock_jump,
        says="Duration",
    ),
]
