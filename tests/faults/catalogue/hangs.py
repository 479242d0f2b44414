"""A stage without studies of its own that stands still: the task's time limit ends it, and it is tried again."""

from functools import partial

from faults.fault import Ended, Fault, Promise
from faults.preload import Rule
from faults.scene import RunScene

GROUP = "A task stands still"
_FILES = {"INDEX": "*/index/studies.parquet", "GATHER": "*/tables/scans.parquet", "REPORT": "*/report/index.html"}


def hang_once(scene: RunScene, stage: str) -> Ended:
    scene.begin_at(stage)
    counter = scene.logs / f"{scene.name}.count"
    return scene.run("-resume", "--max_time", "60s", rule=Rule("create", _FILES[stage], "hang", counter=counter))


FAULTS = [
    Fault(
        f"hang-{stage.lower()}-task",
        GROUP,
        f"{stage}: hangs once while it writes (`--max_time 60s`)",
        Promise.GOES_ON,
        partial(hang_once, stage=stage),
        says=stage,
    )
    for stage in _FILES
]
