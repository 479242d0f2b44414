"""Signals to a task, in each stage: killed, told to end, crashed, stopped."""

import os
import signal
import time
from functools import partial

from faults.fault import Ended, Fault, Promise
from faults.scene import STAGES, RunScene

GROUP = "A task's process gets a signal"
_DONE = {
    signal.SIGKILL: "SIGKILL, as the kernel does when memory runs out",
    signal.SIGTERM: "SIGTERM, as a scheduler does",
    signal.SIGSEGV: "SIGSEGV: a crash in native code",
    signal.SIGSTOP: "SIGSTOP: stands still until its time limit (`--max_time 45s`)",
}


def signal_task(scene: RunScene, stage: str, number: signal.Signals) -> Ended:
    """Start at this stage, and send its first task a signal at a random moment."""
    scene.begin_at(stage)
    limit = ("--max_time", "45s") if number == signal.SIGSTOP else ()
    run = scene.start("-resume", *limit)
    task = scene.wait_for_task(stage, run)
    time.sleep(scene.moment(stage))
    os.kill(task, number)
    return run.wait()


FAULTS = [
    Fault(
        f"{number.name.lower()}-{stage.lower()}",
        GROUP,
        f"{stage}: {words}",
        Promise.GOES_ON,
        partial(signal_task, stage=stage, number=number),
        says=stage,
    )
    for number, words in _DONE.items()
    for stage in STAGES
]
