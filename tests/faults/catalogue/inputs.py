"""Input that changes or goes away after INDEX has read it."""

import os
from functools import partial

from faults.catalogue.memory import before
from faults.fault import Ended, Fault, Promise
from faults.scene import RunScene

GROUP = "The input changes between stages"


def disturb_input(scene: RunScene, stage: str, command: str) -> Ended:
    """Damage a file of the input by a shell command as the stage begins; put it back, with its time, afterwards."""
    scene.begin_at(stage)
    path = scene.files[3]
    kept, status = path.read_bytes(), path.stat()
    ended = scene.run(
        "-resume", config=before(stage, command.format(file=path, third=len(kept) // 3, end=len(kept) - 2000))
    )
    path.write_bytes(kept)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return ended


FAULTS = [
    Fault(
        f"{name}-{stage.lower()}",
        GROUP,
        f"a file of one study {words} when {stage} begins",
        Promise.SAID,
        partial(disturb_input, stage=stage, command=command),
        says="The input changed",
        dicom=stage == "EXPORT",
    )
    for name, stage, words, command in (
        ("gone-file", "CONVERT", "is gone", "rm -f {file}"),
        ("cut-file", "CONVERT", "is cut by two thirds", "truncate -s {third} {file}"),
        (
            "changed-file",
            "CONVERT",
            "has other pixels and the same size",
            "dd if=/dev/zero of={file} bs=1 seek={end} count=2000 conv=notrunc 2>/dev/null",
        ),
        ("gone-file", "EXPORT", "is gone", "rm -f {file}"),
    )
]
