"""A study that crashes or hangs a stage, each time or once: the injector acts when its file is opened."""

from functools import partial

from faults.commands import CommandScene
from faults.fault import Ended, Fault, Promise
from faults.preload import Rule
from faults.scene import STUDY_STAGES, RunScene

GROUP = "One study crashes or hangs its stage"
_MINUTES = "env.SCARNET_STUDY_MINUTES = '0.5'"
_CODES = {"SIGSEGV": "crashed", "hang": "timed_out", "SIGKILL": "crashed", "SIGSTOP": "timed_out"}
_WORDS = {
    "SIGSEGV": "SIGSEGV whenever its file is opened",
    "hang": "stands still whenever its file is opened",
    "SIGKILL": "SIGKILL whenever its file is opened, as if it needed more memory than there is",
    "SIGSTOP": "SIGSTOP whenever its file is opened",
}


def disturb_run(scene: RunScene, stage: str, action: str, *, once: bool = False) -> Ended:
    """Act when a stage makes the study's files, or when INDEX, in a run from the beginning, opens one."""
    counter = scene.logs / f"{scene.name}.count" if once else None
    every = 0 if once else 1
    if stage == "INDEX":
        scene.begin_anew()
        return scene.run(rule=Rule("open", str(scene.files[0]), action, every=every, counter=counter), config=_MINUTES)
    scene.begin_at(stage)
    rule = Rule("create", f"*/{stage.lower()}/studies/{scene.study}/*", action, every=every, counter=counter)
    return scene.run("-resume", rule=rule, config=_MINUTES)


def disturb_command(scene: CommandScene, stage: str, action: str) -> Ended:
    rule = Rule("create", f"*/out/{stage}/studies/{scene.study}/*", action, every=1)
    return scene.run(stage, rule=rule, extra={"SCARNET_STUDY_MINUTES": "0.5"})


FAULTS = [
    *(
        Fault(
            f"{action.lower()}-file-index",
            GROUP,
            f"INDEX: {_WORDS[action]}; the file is named in `unread`, its study measured without it and flagged",
            Promise.SAID,
            partial(disturb_run, stage="INDEX", action=action),
            says="3 measured",
            exit_codes=(0,),
        )
        for action in ("SIGSEGV", "hang")
    ),
    *(
        Fault(
            f"{action.lower()}-study-{stage.lower()}",
            GROUP,
            f"{stage}: {_WORDS[action]}",
            Promise.STUDY,
            partial(disturb_run, stage=stage, action=action),
            codes=(_CODES[action],),
            again=("--retry_failed", _CODES[action]),
        )
        for action, stage in (
            ("SIGSEGV", "SEGMENT"),
            ("hang", "CROP"),
            ("SIGKILL", "CROP"),
        )
    ),
    Fault(
        "sigsegv-once-segment",
        GROUP,
        "SEGMENT: SIGSEGV the first time that its file is opened",
        Promise.GOES_ON,
        partial(disturb_run, stage="SEGMENT", action="SIGSEGV", once=True),
    ),
    *(
        Fault(
            f"{action.lower()}-study-{stage.lower()}-command",
            GROUP,
            f"`scarnet {stage.lower()}`: {_WORDS[action]}",
            Promise.STUDY,
            partial(disturb_command, stage=stage.lower(), action=action),
            codes=(_CODES[action],),
            command=True,
            quick=(action, stage) == ("SIGSEGV", "CONVERT"),
        )
        for stage in STUDY_STAGES
        for action in ("SIGSEGV", "hang", *(["SIGSTOP"] if stage == "QUANTIFY" else []))
    ),
]
