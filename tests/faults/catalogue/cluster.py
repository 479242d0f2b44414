"""What happens to jobs on a cluster: a Slurm of one node, which is started for each fault."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from faults.fault import Ended, Fault, Promise
from faults.scene import STAGES, Running, RunScene, wait_until

GROUP = "On a cluster (Slurm of one node, `-profile slurm`)"
_SCRIPT = Path(__file__).parents[1] / "slurm.sh"
# Jobs are looked at more often than in production, and a job without an exit code is given up sooner.
_QUICK = "executor { pollInterval = '1 sec'; queueStatInterval = '2 sec'; exitReadTimeout = '15 sec' }\n"
_AWAY_S = 20


@dataclass(frozen=True)
class Slurm:
    """A cluster whose files are in a folder."""

    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def start(self) -> None:
        """Start what does not run."""
        variables = {**os.environ, "CPUS": "2"}
        subprocess.run([_SCRIPT, self.folder, "start"], check=True, env=variables, stdin=subprocess.DEVNULL)

    def stop(self, *daemons: str) -> None:
        """Stop these, or all."""
        subprocess.run([_SCRIPT, self.folder, "stop", *daemons], check=True, stdin=subprocess.DEVNULL)

    def say(self, *command: str) -> str:
        return subprocess.run(
            command, check=True, env={**os.environ, **self.variables}, stdout=subprocess.PIPE, text=True
        ).stdout

    def set_node(self, state: str) -> None:
        node = self.say("sinfo", "-h", "-N", "-o", "%N").split()[0]
        self.say("scontrol", "update", f"nodename={node}", f"state={state}", "reason=fault")

    def job(self, stage: str) -> str | None:
        """Return the number of a running job of a stage."""
        lines = self.say("squeue", "-h", "-t", "RUNNING", "-o", "%i %j").splitlines()
        return next((line.split()[0] for line in lines if f"COHORT_{stage}_" in line), None)


@contextmanager
def cluster(scene: RunScene) -> Iterator[Slurm]:
    """Run a cluster, the only one on this machine: its ports are everybody's."""
    if shutil.which("sbatch") is None:
        message = "Slurm is missing; Debian has it as `slurm-wlm`"
        raise OSError(message)
    with (scene.logs / "slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        slurm = Slurm(scene.folder / "slurm")
        slurm.start()
        try:
            yield slurm
        finally:
            slurm.stop()


def disturb(
    scene: RunScene, do: Callable[[RunScene, Slurm, Running], None], *, anew: bool = False, config: str = ""
) -> Ended:
    """Run on a cluster, from SEGMENT on or from the start, and disturb it."""
    scene.begin_anew() if anew else scene.begin_at("SEGMENT")
    with cluster(scene) as slurm:
        words = ["-profile", "slurm", *([] if anew else ["-resume"])]
        run = scene.start(*words, extra=slurm.variables, config=_QUICK + config)
        do(scene, slurm, run)
        return run.wait()


def cancel(scene: RunScene, slurm: Slurm, run: Running) -> None:
    """Cancel the first job of each stage."""
    for stage in (stage for stage in STAGES if stage != "EXPORT"):
        scene.wait_for_task(stage, run)
        if job := slurm.job(stage):
            slurm.say("scancel", job)


def only_wait(scene: RunScene, slurm: Slurm, run: Running) -> None:
    """The settings of the run are the fault."""
    del slurm
    scene.wait_for_task("SEGMENT", run)


def halt(scene: RunScene, slurm: Slurm, run: Running) -> None:
    """Let a task stand still until its time is over."""
    del slurm
    os.kill(scene.wait_for_task("SEGMENT", run), signal.SIGSTOP)


def drain(scene: RunScene, slurm: Slurm, run: Running) -> None:
    """Drain the node while a job runs, and take it back."""
    scene.wait_for_task("SEGMENT", run)
    slurm.set_node("drain")
    time.sleep(_AWAY_S)
    slurm.set_node("resume")


def restart_controller(scene: RunScene, slurm: Slurm, run: Running) -> None:
    """Stop the controller while a job runs, and start it again later."""
    scene.wait_for_task("SEGMENT", run)
    slurm.stop("slurmctld")
    time.sleep(_AWAY_S)
    slurm.start()


def lose_node(scene: RunScene, slurm: Slurm, run: Running) -> None:
    """Kill everything on the node, as a power cut does, and bring it back when the controller has noticed."""
    task = scene.wait_for_task("SEGMENT", run)
    os.kill(int((slurm.folder / "slurmd.pid").read_text()), signal.SIGKILL)
    for process in _above(task):
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: 1 if "down" in slurm.say("sinfo", "-h", "-o", "%T") else None, run, "a lost node")
    slurm.start()


def _above(task: int) -> list[int]:
    """Return the processes of a task's job: its keeper (slurmstepd) first, the task last."""
    found = [task]
    while (parent := int(Path(f"/proc/{found[0]}/stat").read_text().rsplit(")", 1)[1].split()[1])) > 1:
        found.insert(0, parent)
    return found


def _limited(directive: str) -> str:
    return f"process {{ withName: SEGMENT {{ {directive} }} }}\n"


FAULTS = [
    Fault(
        "slurm-cancelled",
        GROUP,
        "in one run, the first job of each stage gets `scancel`",
        Promise.GOES_ON,
        partial(disturb, do=cancel, anew=True),
        says="NOTE: Process",
    ),
    Fault(
        "slurm-memory",
        GROUP,
        "a job of SEGMENT uses more than the memory that it asked for; Slurm kills it",
        Promise.GOES_ON,
        partial(disturb, do=only_wait, config=_limited("memory = { task.attempt == 1 ? 150.MB : 4.GB }")),
        says="NOTE: Process",
    ),
    Fault(
        "slurm-time",
        GROUP,
        "a job of SEGMENT takes longer than the time that it asked for; Slurm kills it",
        Promise.GOES_ON,
        partial(disturb, do=halt, config=_limited("time = { task.attempt == 1 ? 1.min : 10.min }")),
        says="NOTE: Process",
    ),
    Fault(
        "slurm-drained",
        GROUP,
        f"the node is drained while SEGMENT runs, and resumed {_AWAY_S} s later",
        Promise.GOES_ON,
        partial(disturb, do=drain),
    ),
    Fault(
        "slurm-controller",
        GROUP,
        f"slurmctld is stopped while SEGMENT runs, and started again {_AWAY_S} s later",
        Promise.GOES_ON,
        partial(disturb, do=restart_controller),
    ),
    Fault(
        "slurm-node-lost",
        GROUP,
        "the node dies while SEGMENT runs on it, and comes back once the controller has given it up",
        Promise.GOES_ON,
        partial(disturb, do=lose_node),
        says="NOTE: Process",
    ),
]
