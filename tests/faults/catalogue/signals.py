"""Signals to tasks, in each stage: killed, told to end, crashed, stopped."""

import os
import signal
import time
from functools import partial

from faults.fault import Ended, Fault, Promise
from faults.scene import STAGES, RunScene

GROUP = "A task of every stage gets a signal"
_DONE = {
    signal.SIGKILL: "SIGKILL, as the kernel does when memory runs out",
    signal.SIGTERM: "SIGTERM, as a scheduler does",
    signal.SIGSEGV: "SIGSEGV: a crash in native code",
    signal.SIGSTOP: "SIGSTOP: it stands still until its time limit (`--max_time 90s`)",
}


def signal_tasks(scene: RunScene, number: signal.Signals) -> Ended:
    """Send the first task of each stage a signal at a random moment, all in one run."""
    scene.begin_anew()
    limit = ("--max_time", "90s") if number == signal.SIGSTOP else ()
    run = scene.start(*limit)
    for stage in STAGES:
        task = scene.wait_for_task(stage, run)
        time.sleep(scene.moment(stage))
        os.kill(task, number)
    return run.wait()


FAULTS = [
    Fault(
        f"{number.name.lower()}-each-stage",
        GROUP,
        f"in one run, one task of each of the {len(STAGES)} stages gets {words}",
        Promise.GOES_ON,
        partial(signal_tasks, number=number),
        says="NOTE: Process",
        dicom=True,
    )
    for number, words in _DONE.items()
]
