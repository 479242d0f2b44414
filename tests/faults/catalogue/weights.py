"""Weights that are cut, changed, another task's, or gone."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from faults.commands import CommandScene
from faults.fault import Ended, Fault, Promise
from faults.scene import RunScene

GROUP = "Weights are damaged, or another task's"


def damage_before(scene: RunScene, damage: Callable[[Path], None]) -> Ended:
    """Damage the network's weights before the run; put them back afterwards."""
    scene.begin_at("SEGMENT")
    weights = scene.folder / "weights" / "scarnet.safetensors"
    kept = shutil.copy2(weights, scene.folder / "kept")
    damage(weights)
    ended = scene.run("-resume")
    shutil.copy2(kept, weights)
    return ended


def damage_during(scene: RunScene, damage: Callable[[Path], None]) -> Ended:
    """Damage the network's weights while CROP runs; put them back afterwards."""
    scene.begin_at("CROP")
    weights = scene.folder / "weights" / "scarnet.safetensors"
    kept = shutil.copy2(weights, scene.folder / "kept")
    run = scene.start("-resume")
    scene.wait_for_task("CROP", run)
    damage(weights)
    ended = run.wait()
    shutil.copy2(kept, weights)
    return ended


def other_task(scene: RunScene) -> Ended:
    scene.begin_at("SEGMENT")
    return scene.run("-resume", "--weights", "localiser")


def name_gone(scene: RunScene) -> Ended:
    scene.begin_at("SEGMENT")
    return scene.run("-resume", "--weights", str(scene.folder / "weights" / "gone.safetensors"))


def damage_command(scene: CommandScene, stage: str, damage: Callable[[Path], None]) -> Ended:
    name = "localiser" if stage == "crop" else "scarnet"
    weights = scene.folder / "weights" / f"{name}.safetensors"
    kept = shutil.copy2(weights, scene.folder / "kept")
    damage(weights)
    ended = scene.run(stage)
    shutil.copy2(kept, weights)
    return ended


def cut(path: Path) -> None:
    """Leave two thirds of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def change(path: Path) -> None:
    """Turn one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def cut_without_digests(path: Path) -> None:
    cut(path)
    (path.parent / "SHA256SUMS").rename(path.parent / "no.SUMS")


def exchange(path: Path) -> None:
    """Put another network's weights at this path, without digests that would tell."""
    (path.parent / "SHA256SUMS").rename(path.parent / "no.SUMS")
    shutil.copyfile(path.parent / ("localiser.safetensors" if path.stem == "scarnet" else "scarnet.safetensors"), path)


FAULTS = [
    Fault(
        "cut-weights",
        GROUP,
        "cut by a third before the run",
        Promise.SAID,
        partial(damage_before, damage=cut),
        "(?i)weights",
    ),
    Fault(
        "changed-weights",
        GROUP,
        "one bit changed before the run",
        Promise.SAID,
        partial(damage_before, damage=change),
        "(?i)weights",
    ),
    Fault("gone-weights", GROUP, "a file that is not there (`--weights FILE`)", Promise.SAID, name_gone, "--weights"),
    Fault(
        "other-weights",
        GROUP,
        "those of the localiser (`--weights localiser`)",
        Promise.SAID,
        other_task,
        "(?i)weights|localiser",
    ),
    Fault(
        "cut-weights-late",
        GROUP,
        "cut by a third while CROP runs",
        Promise.SAID,
        partial(damage_during, damage=cut),
        "(?i)weights",
    ),
    Fault(
        "gone-weights-late",
        GROUP,
        "gone while CROP runs",
        Promise.SAID,
        partial(damage_during, damage=Path.unlink),
        "(?i)weights",
    ),
    *(
        Fault(
            f"{name}-{stage}",
            GROUP,
            f"`scarnet {stage}`: {words}",
            Promise.SAID,
            partial(damage_command, stage=stage, damage=damage),
            says="(?i)weights|localiser|safetensors",
            command=True,
            quick=quick,
        )
        for name, stage, words, damage, quick in (
            ("changed", "crop", "one bit of the weights changed", change, True),
            ("cut-unlisted", "segment", "weights cut, and no SHA256SUMS to tell", cut_without_digests, False),
            ("other", "crop", "weights of another task", exchange, False),
            ("other", "segment", "weights of another task", exchange, False),
        )
    ),
]
