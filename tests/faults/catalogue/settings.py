"""Settings and software that do not fit the machine."""

from functools import partial

from faults.commands import CommandScene
from faults.fault import Ended, Fault, Promise
from faults.preload import Rule
from faults.scene import RunScene

GROUP = "Settings and software do not fit the machine"


def ask_for_gpu(scene: RunScene) -> Ended:
    scene.begin_at("SEGMENT")
    return scene.run("-resume", "-profile", "gpu")


def damaged_library(scene: CommandScene, stage: str) -> Ended:
    """Let a file of scipy's be unreadable."""
    return scene.run(stage, rule=Rule("open,read", "*/site-packages/scipy/*", "EIO", every=1))


FAULTS = [
    Fault("no-gpu", GROUP, "`-profile gpu` on a machine without a GPU", Promise.GOES_ON, ask_for_gpu, says="(?i)gpu"),
    Fault(
        "library-quantify",
        GROUP,
        "`scarnet quantify`: a library's files give EIO",
        Promise.SAID,
        partial(damaged_library, stage="quantify"),
        says="(?i)the machine failed|software is damaged",
        exit_codes=(75,),
        command=True,
    ),
]
