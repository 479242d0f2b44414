"""System calls that fail: in whole runs, and at every tenth write of each stage's command."""

from functools import partial

from faults.commands import COMMANDS, CommandScene
from faults.fault import Ended, Fault, Promise
from faults.preload import Rule
from faults.said import complaints
from faults.scene import RunScene

GROUP = "System calls fail"
_MACHINE = "The machine failed: |could not be written whole|disk or file server"
_WORDS = {
    "EIO": "input/output error",
    "ESTALE": "stale handle of a file server",
    "EMFILE": "too many open files",
    "EDQUOT": "disk quota used up",
}


def fail_reads(scene: RunScene, error: str, *, once: bool) -> Ended:
    """Let a read below the input fail in CONVERT: once, or each."""
    scene.begin_at("CONVERT")
    run_rule = Rule(
        "open,read",
        f"{scene.files[2].parent}/*",
        error,
        nth=1,
        every=0 if once else 1,
        counter=scene.logs / f"{scene.name}.count" if once else None,
    )
    return scene.run("-resume", rule=run_rule)


def fail_tenth_writes(scene: RunScene) -> Ended:
    """Let every tenth write below the work directory fail, of all tasks together."""
    scene.begin_at("CONVERT")
    return scene.run("-resume", rule=_full(f"{scene.work}/*", scene, every=10))


def fail_some_writes(scene: RunScene) -> Ended:
    """Let the tenth write of CONVERT fail, and the one after it."""
    scene.begin_at("CONVERT")
    return scene.run("-resume", rule=_full(f"{scene.work}/*/convert/*", scene, every=1, last=11))


def _full(path: str, scene: RunScene, every: int, last: int = 0) -> Rule:
    return Rule("write", path, "ENOSPC", nth=10, every=every, last=last, counter=scene.logs / f"{scene.name}.count")


def sweep(scene: CommandScene, stage: str, error: str = "ENOSPC", step: int = 10) -> Ended:
    """Run a stage once for the first and every tenth write that it does, and let that write and all later ones fail.

    Each has to end with exit code 75 and a sentence; the worst of them is returned.
    """
    counter = scene.logs / f"{scene.name}.count"
    path = f"{scene.folder / 'out' / stage}/*"
    scene.run(stage, rule=Rule("write", path, "none", counter=counter))
    writes = int.from_bytes(counter.read_bytes(), "little")
    ended = Ended(75, "")
    for nth in (1, *range(step, writes + 1, step)):
        now = scene.run(stage, rule=Rule("write", path, error, nth=nth, every=1))
        if now.exit_code == 0 and not scene.differences():  # a write that the results do not need
            continue
        if now.exit_code != 75 or complaints(now.output, _MACHINE):
            return Ended(now.exit_code, f"write {nth} of {writes}:\n{now.output}")
        ended = now
    return ended


def fail_one_command(scene: CommandScene, stage: str, rule: Rule) -> Ended:
    return scene.run(stage, rule=rule)


FAULTS = [
    *(
        Fault(
            f"{error.lower()}-{'once' if once else 'always'}-convert",
            GROUP,
            f"{error} ({words}) when CONVERT reads the input: {'once' if once else 'always'}",
            Promise.GOES_ON if once else Promise.SAID,
            partial(fail_reads, error=error, once=once),
            says="CONVERT" if once else error,
        )
        for error, words in _WORDS.items()
        if error != "EDQUOT"
        for once in (True, False)
    ),
    Fault(
        "enospc-tenth-writes",
        GROUP,
        "ENOSPC (no space) at every tenth write of all tasks together",
        Promise.SAID,
        fail_tenth_writes,
        says="no space is left",
    ),
    Fault(
        "enospc-some-writes",
        GROUP,
        "CONVERT: ENOSPC at the tenth and eleventh write of all its tasks together",
        Promise.GOES_ON,
        fail_some_writes,
        says="CONVERT",
    ),
    *(
        Fault(
            f"sweep-{stage}",
            GROUP,
            f"`scarnet {stage}`: ENOSPC from its first, 10th, 20th, … write on, one run each",
            Promise.SAID,
            partial(sweep, stage=stage),
            says=_MACHINE,
            exit_codes=(75,),
            command=True,
        )
        for stage in COMMANDS
    ),
    *(
        Fault(
            f"{error.lower()}-{stage}",
            GROUP,
            f"`scarnet {stage}`: {error} ({_WORDS[error]}) when it {verb}",
            Promise.SAID,
            partial(fail_one_command, stage=stage, rule=Rule(calls, path, error, nth=2, every=1)),
            says=_MACHINE,
            exit_codes=(75,),
            command=True,
            quick=quick,
        )
        for error, stage, verb, calls, path, quick in (
            ("ESTALE", "index", "reads the input", "open,read", "*/cohort/dicom/*", True),
            ("EIO", "index", "lists the input", "list", "*/cohort/dicom/*", True),
            ("EMFILE", "index", "reads the input", "open", "*/cohort/dicom/*", False),
            ("EIO", "convert", "reads the input", "open,read", "*/cohort/dicom/*", True),
            ("EDQUOT", "convert", "writes", "write", "*/out/convert/*", True),
            ("ESTALE", "quantify", "reads labels", "open,read", "*/segment/studies/*", False),
            ("EIO", "crop", "reads the weights", "open,read", "*/weights/localiser.safetensors", False),
            ("EIO", "export", "reads the input", "open,read", "*/cohort/dicom/*", False),
            ("ESTALE", "gather", "reads a stage's table", "open,read", "*/quantify/*.parquet", False),
            ("EIO", "report", "reads a picture", "open,read", "*/quantify/studies/*", False),
        )
    ),
]
