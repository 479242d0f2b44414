"""A picture of augmented crops, one row per transform, to check the network's input before training."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scarnet_cli.draw.overlay import Layout, render_tiles
from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import Volume
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.train.augment import Augmentation, augment
from scarnet_cli.train.batches import collate
from scarnet_cli.train.stacks import Stack

COLUMNS: Final = 6
# The strongest of this many draws is shown, because strengths are random between none and the greatest.
_DRAWS: Final = 12
_MIXED_ROWS: Final = 2
# Title -> settings that stay on. Probabilities become 1, so that every tile is changed.
_ROWS: Final[dict[str, tuple[str, ...]]] = {
    "turn and mirror": ("upright", "tilt"),
    "shift": ("shift",),
    "zoom": ("log_scale", "enlarge"),
    "shear": ("shear",),
    "elastic bend": ("elastic",),
    "pasted scar": ("paste",),
    "magnitude": ("magnitude",),
    "gamma": ("log_gamma",),
    "bias field": ("bias",),
    "ghost": ("ghost",),
    "blur": ("blur",),
    "noise": ("noise",),
    "Rician noise": ("rician",),
}
_PROBABILITIES: Final = ("blur", "paste", "magnitude")


def render_preview(stacks: Sequence[Stack], spec: NetworkSpec, how: Augmentation, seed: int) -> Image.Image:
    """Return a picture of the crops unchanged, with each transform alone at its strongest, and with all together.

    Args:
        stacks: At least one; slices with and without scar are chosen from them.
        spec: The network, which gives context and pixel spacing.
        how: Strengths; a transform that is off has no row.
        seed: Seed of all random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    image, labels = collate(stacks, choose_slices(stacks), spec.context)
    plain = augment(image, labels, _nothing(how), generator)
    rows = {"as it is": plain}
    for title, names in _ROWS.items():
        alone = _only(how, names)
        if alone != _nothing(how):
            rows[title] = _strongest(image, labels, alone, generator)
    for number in range(_MIXED_ROWS):
        rows[f"all together {number + 1}"] = augment(image, labels, how, generator)
    return _draw(rows, spec.pixel_mm)


def choose_slices(stacks: Sequence[Stack]) -> list[tuple[int, int]]:
    """Return (stack, slice) of up to `COLUMNS` stacks, half of them with scar if there are enough of both kinds.

    The slice of a stack is the one with the most scar or, if it has none, the largest heart.
    """
    best = [(s, *_best_slice(stack.labels)) for s, stack in enumerate(stacks)]
    scarred = [(s, z) for s, z, scar in best if scar]
    healthy = [(s, z) for s, z, scar in best if not scar]
    most_healthy = min(len(healthy), max(COLUMNS // 2, COLUMNS - len(scarred)))
    return scarred[: COLUMNS - most_healthy] + healthy[:most_healthy]


def _best_slice(labels: Tensor) -> tuple[int, bool]:
    scar, heart = ((labels >= least).sum(dim=(1, 2)) for least in (Label.SCAR, Label.BLOOD_POOL))
    return int((scar if scar.any() else heart).argmax()), bool(scar.any())


def _nothing(how: Augmentation) -> Augmentation:
    """Return an augmentation that only cuts out the window."""
    off = {field.name: 0.0 for field in fields(how) if field.name != "window"}
    return replace(how, **{**off, "upright": 1.0, "enlarge": 1.0})


def _only(how: Augmentation, names: Sequence[str]) -> Augmentation:
    on = {name: getattr(how, name) for name in names}
    certain = {name: 1.0 for name in _PROBABILITIES if on.get(name)}
    return replace(_nothing(how), **{**on, **certain})


def _strongest(image: Tensor, labels: Tensor, how: Augmentation, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return, for each crop, the draw that differs most from the unchanged crop."""
    plain, _ = augment(image, labels, _nothing(how), generator)
    draws = [augment(image, labels, how, generator) for _ in range(_DRAWS)]
    change = torch.stack([(picture - plain).abs().mean(dim=(1, 2, 3)) for picture, _ in draws])
    best = change.argmax(dim=0).tolist()
    pictures, classes = zip(*[(draws[d][0][crop], draws[d][1][crop]) for crop, d in enumerate(best)], strict=True)
    return torch.stack(pictures), torch.stack(classes)


def _draw(rows: dict[str, tuple[Tensor, Tensor]], pixel_mm: float) -> Image.Image:
    crops = len(next(iter(rows.values()))[0])
    pictures = torch.cat([image[:, image.shape[1] // 2] for image, _ in rows.values()]).numpy()
    classes = torch.cat([labels for _, labels in rows.values()]).numpy().astype(np.uint8)
    captions = [title if crop == 0 else "" for title in rows for crop in range(crops)]
    layout = Layout(crops, len(rows), (0.0, 0.0), pictures.shape[-1] * pixel_mm)
    volume = Volume(pictures, (1.0, pixel_mm, pixel_mm), (0.0, 0.0, 0.0), np.eye(3))
    return render_tiles(volume, volume.with_array(classes), layout, captions)
