"""Too little memory: limits of the shell, and of a control group."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from faults.commands import CommandScene
from faults.fault import Ended, Fault, Promise
from faults.scene import RunScene

GROUP = "Memory runs out"
_GROUPS = Path("/sys/fs/cgroup/memory")


def limit_stage(scene: RunScene, stage: str, mib: int) -> Ended:
    """Let every task of a stage run under `ulimit -v`."""
    scene.begin_at(stage)
    return scene.run("-resume", config=before(stage, f"ulimit -v {mib * 1024}"))


def limit_command(scene: CommandScene, stage: str, mib: int) -> Ended:
    return scene.run(stage, before=f"ulimit -v {mib * 1024}")


def group_stage(scene: RunScene, stage: str, mib: int) -> Ended:
    """Let every task of a stage run in a control group with so much memory."""
    scene.begin_at(stage)
    with control_group(scene.name, mib) as group:
        return scene.run("-resume", config=before(stage, f"echo $$ > {group}/cgroup.procs"))


def group_first_attempt(scene: RunScene, stage: str, mib: int) -> Ended:
    """Let the first attempts of a stage run in a control group with so much memory; retries have no limit."""
    scene.begin_at(stage)
    with control_group(scene.name, mib) as group:
        return scene.run("-resume", config=before(stage, f"echo $$ > {group}/cgroup.procs", attempts=1))


def before(stage: str, command: str, attempts: int = 9) -> str:
    """Return a configuration in which tasks of a stage begin with a command, up to this attempt."""
    script = command.replace("$", "\\$")
    return f"process {{ withName: {stage} {{ beforeScript = {{ task.attempt <= {attempts} ? \"{script}\" : '' }} }} }}"


@contextmanager
def control_group(name: str, mib: int) -> Iterator[Path]:
    """Make a control group with so much memory; its processes are gone when it is removed."""
    if not (_GROUPS / "memory.limit_in_bytes").exists():
        message = "this machine has no control groups for memory (version 1)"
        raise OSError(message)
    group = _GROUPS / f"faults-{name}"
    group.mkdir(exist_ok=True)
    try:
        (group / "memory.limit_in_bytes").write_text(str(mib * 1024**2))
        yield group
    finally:
        for process in (group / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (_GROUPS / "cgroup.procs").write_text(process)
        group.rmdir()


FAULTS = [
    Fault(
        "ulimit-segment",
        GROUP,
        "SEGMENT: `ulimit -v` of 900 MiB for every task",
        Promise.SAID,
        partial(limit_stage, stage="SEGMENT", mib=900),
        says="(?i)memory",
    ),
    *(
        Fault(
            f"ulimit-{mib}-{stage}",
            GROUP,
            f"`scarnet {stage}` with `ulimit -v` of {mib} MiB",
            Promise.SAID,
            partial(limit_command, stage=stage, mib=mib),
            says="(?i)memory|bad_alloc",
            exit_codes=(75, 137, -6),
            command=True,
        )
        for stage, mib in (
            ("index", 250),
            ("convert", 300),
            ("crop", 900),
            ("segment", 900),
            ("gather", 250),
        )
    ),
    Fault(
        "cgroup-segment",
        GROUP,
        "SEGMENT: a control group with 120 MiB for every task",
        Promise.SAID,
        partial(group_stage, stage="SEGMENT", mib=120),
        says="(?i)memory|137",
    ),
    Fault(
        "cgroup-first-crop",
        GROUP,
        "CROP: a control group with 120 MiB for first attempts; retries have more",
        Promise.GOES_ON,
        partial(group_first_attempt, stage="CROP", mib=120),
        says="CROP",
    ),
]
