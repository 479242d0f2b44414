"""Files in the work directory that are damaged, changed or gone when a later stage reads them."""

import gzip
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from faults.catalogue.weights import change, cut
from faults.commands import CommandScene
from faults.fault import Ended, Fault, Promise
from faults.scene import RunScene

GROUP = "A file in the work directory is damaged, changed or gone"
_SAYS = r"[Dd]elete (\S+) and"


def damage_file(scene: RunScene, stage: str, pattern: str, damage: Callable[[Path], None]) -> Ended:
    """Damage what earlier stages left before this stage begins; afterwards delete what the message says."""
    scene.begin_at(stage)
    damage(next(scene.work.glob(f"*/*/{pattern.format(study=scene.study)}")))
    ended = scene.run("-resume")
    for folder in set(re.findall(_SAYS, ended.output)):
        shutil.rmtree(folder)
    return ended


def damage_command(scene: CommandScene, stage: str, file: str, damage: Callable[[Path], None]) -> Ended:
    path = scene.folder / file.format(study=scene.study)
    kept = shutil.copy2(path, scene.folder / "kept")
    damage(path)
    ended = scene.run(stage)
    shutil.copy2(kept, path)
    return ended


def change_voxels(path: Path) -> None:
    """Give other voxels to an image and keep it whole: what the checks of the format do not see."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[len(content) // 2 :: 97] = bytes(len(content[len(content) // 2 :: 97]))
    path.write_bytes(gzip.compress(bytes(content), mtime=0))


FAULTS = [
    *(
        Fault(
            f"{how}-{file}-{stage.lower()}",
            GROUP,
            f"{what} {words} before {stage}",
            Promise.SAID,
            partial(damage_file, stage=stage, pattern=pattern, damage=damage),
            says=_SAYS,
        )
        for how, words, damage, file, what, stage, pattern in (
            (
                "cut",
                "cut by a third",
                cut,
                "image",
                "CONVERT's image",
                "QUANTIFY",
                "convert/studies/{study}/image.nii.gz",
            ),
            (
                "changed",
                "with one bit changed",
                change,
                "crop",
                "CROP's image",
                "SEGMENT",
                "crop/studies/{study}/*.nii.gz",
            ),
            (
                "gone",
                "gone",
                Path.unlink,
                "labels",
                "SEGMENT's labels",
                "QUANTIFY",
                "segment/studies/{study}/labels.nii.gz",
            ),
            ("cut", "cut by a third", cut, "scans", "QUANTIFY's scans.parquet", "GATHER", "quantify/scans.parquet"),
            (
                "gone",
                "gone",
                Path.unlink,
                "picture",
                "QUANTIFY's picture",
                "REPORT",
                "quantify/studies/{study}/overlay.png",
            ),
            (
                "changed-voxels",
                "with other voxels, the file whole",
                change_voxels,
                "image",
                "CONVERT's image",
                "QUANTIFY",
                "convert/studies/{study}/image.nii.gz",
            ),
        )
    ),
    *(
        Fault(
            f"{how}-{stage}",
            GROUP,
            f"`scarnet {stage}`: {words}",
            Promise.SAID,
            partial(damage_command, stage=stage, file=file, damage=damage),
            says="(?i)damaged|cut|delete|run its stage again",
            command=True,
        )
        for how, stage, words, file, damage in (
            ("cut-image", "crop", "an image cut by a third", "convert/studies/{study}/image.nii.gz", cut),
            ("cut-labels", "quantify", "labels cut by a third", "segment/studies/{study}/labels.nii.gz", cut),
            ("cut-table", "gather", "a stage's table cut by a third", "quantify/scans.parquet", cut),
            ("cut-failures", "gather", "a stage's failures cut by a third", "crop/failures.parquet", cut),
        )
    ),
]
