"""The whole chain of one member: slice network, probabilities for the others, stack network.

A member is a fold, which trains without its own cases, or "all". The stack network of each learns from probabilities that
the *folds'* slice networks give to the cases which they had not seen, so members wait for each other in between.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from scarnet_cli.errors import TrainingError
from scarnet_cli.files import atomic_path, write_json
from scarnet_cli.image.intensity import middle_of
from scarnet_cli.image.labels import REGIONS
from scarnet_cli.infer.decision import decode
from scarnet_cli.infer.stacks import corrected
from scarnet_cli.infer.views import View, enlarged_views
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.train.hearts import Hearts
from scarnet_cli.train.learner import Pace
from scarnet_cli.train.slice_stage import SliceSettings, train_slices
from scarnet_cli.train.stack_stage import StackSettings, padded_maps, train_stacks, window_probabilities

log = logging.getLogger(__name__)

ALL: Final = "all"
WINDOW: Final = 96
NORMALISED_BY: Final = 80
SCAR_SHARE: Final = 0.5
_BYTE: Final = 255.0


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """How a member is trained.

    Attributes:
        slices: The slice network's training.
        stacks: The stack network's training.
        slice_pace: How long the first lasts.
        stack_pace: How long the second lasts; nothing at all where it has no steps.
        wait_seconds: How long to wait for the other members.
    """

    slices: SliceSettings = field(default_factory=SliceSettings)
    stacks: StackSettings = field(default_factory=StackSettings)
    slice_pace: Pace = Pace()
    stack_pace: Pace = Pace(steps=3000)
    wait_seconds: float = 7200.0


@dataclass(frozen=True, slots=True)
class Material:
    """What all members share: hearts, cine hearts or none, and which cases each fold holds out."""

    hearts: Hearts
    cine: Hearts | None
    folds: Sequence[Sequence[str]]

    def held_out(self, member: str) -> list[str]:
        """Return the cases that a member does not see."""
        return [] if member == ALL else list(self.folds[int(member)])


def train_member(  # noqa: PLR0913 (all of a training)
    member: str,
    material: Material,
    slice_network: nn.Module,
    spec: NetworkSpec,
    settings: ChainSettings,
    out: Path,
) -> None:
    """Train a member's two networks; writes out/MEMBER/{slices,stack}.pt and scores, and its fold's probabilities.

    Args:
        member: A fold's number, or "all".
        material: Cases, on the device to train on.
        slice_network: To start from, on that device.
        spec: The slice network's.
        settings: How.
        out: Folder of all members.
    """
    held_out = material.held_out(member)
    hearts = material.hearts.without(held_out)
    average = train_slices(slice_network, hearts, material.cine, settings.slices, settings.slice_pace)
    folder = out / member
    _save(average, folder / "slices.pt")
    if held_out:
        _predict_held_out(average, material.hearts.only(held_out), spec, out / f"probabilities_{member}.npz")
        score = score_windows(material.hearts, read_probabilities([out / f"probabilities_{member}.npz"]))
        log.info("slices: %s", score)
        write_json(folder / "slices.json", score)
    if settings.stack_pace.steps == 0:
        return
    paths = [out / f"probabilities_{fold}.npz" for fold in range(len(material.folds))]
    wait_for(paths, settings.wait_seconds)
    probabilities = read_probabilities(paths)
    network = build_model(spec_of_stack(spec)).to(hearts.image.device)
    maps = stack_maps(hearts, probabilities).to(hearts.image.device)
    stack = train_stacks(network, hearts, maps, settings.stacks, settings.stack_pace)
    _save(stack, folder / "stack.pt")
    if held_out:
        path = out / f"corrected_{member}.npz"
        _correct_held_out(stack, material.hearts.only(held_out), probabilities, spec, path)
        score = score_windows(material.hearts, read_probabilities([path]))
        log.info("stack: %s", score)
        write_json(folder / "stack.json", score)


def spec_of_stack(spec: NetworkSpec) -> NetworkSpec:
    """Return the spec of the stack network that goes with a slice network."""
    return replace(spec, name=f"{spec.name}_stack", architecture="stack", options={})


def stack_maps(hearts: Hearts, probabilities: Mapping[str, Tensor]) -> Tensor:
    """Return (N, V, Z, classes, S, S) maps of the hearts, from (V, Z, classes, window, window) by case."""
    deep, size = hearts.image.shape[1], hearts.image.shape[-1]
    return torch.stack(
        [torch.stack([padded_maps(way, deep, size) for way in probabilities[name]]) for name in hearts.names]
    )


def pairs_of_views(zoom: float) -> list[tuple[View, ...]]:
    """Return the ways of looking whose probabilities are kept: pairs of the six views."""
    views = enlarged_views(zoom)
    return [views[first : first + 2] for first in range(0, len(views), 2)]


def _predict_held_out(network: nn.Module, hearts: Hearts, spec: NetworkSpec, path: Path) -> None:
    ways = pairs_of_views(spec.zoom)
    found = {
        name: np.stack(
            [
                window_probabilities(network, hearts, row, views, WINDOW, NORMALISED_BY).cpu().numpy()
                for views in ways
            ]
        ).astype(np.float16)
        for row, name in enumerate(hearts.names)
    }
    with atomic_path(path) as temporary:
        np.savez(temporary, **found)  # type: ignore[arg-type]


def _correct_held_out(
    network: nn.Module, hearts: Hearts, probabilities: Mapping[str, Tensor], spec: NetworkSpec, path: Path
) -> None:
    """Write the corrected probabilities of the first way of looking, which is the one in use."""
    views, found = pairs_of_views(spec.zoom)[0], {}
    for row, name in enumerate(hearts.names):
        number, middle = int(hearts.slices[row]), middle_of(hearts.image.shape[-1], WINDOW)
        signal = hearts.image[row, :number, middle, middle].float().cpu().numpy() / _BYTE
        seen = probabilities[name][0].float().numpy()
        found[name] = corrected(network, signal, seen, views, NORMALISED_BY)[None].astype(np.float16)
    with atomic_path(path) as temporary:
        np.savez(temporary, **found)  # type: ignore[arg-type]


def read_probabilities(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Return case id -> (V, Z, classes, window, window) float16 probabilities of all files."""
    found: dict[str, Tensor] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            found |= {name: torch.from_numpy(stored[name]) for name in stored.files}
    return found


def score_windows(hearts: Hearts, probabilities: Mapping[str, Tensor]) -> dict[str, float]:
    """Return mean Dice over cases on the hearts' own grid, for a first look; `scarnet evaluate` gives the real ones."""
    rows: dict[str, list[float]] = {region: [] for region in REGIONS}
    with_scar: list[float] = []
    for name, ways in probabilities.items():
        row = hearts.names.index(name)
        middle = middle_of(hearts.labels.shape[-1], WINDOW)
        true = hearts.labels[row, : int(hearts.slices[row]), middle, middle].cpu().numpy()
        ours = decode(ways.float().mean(dim=0).movedim(1, 0).numpy(), SCAR_SHARE)
        for region, classes in REGIONS.items():
            a, b = np.isin(ours, classes), np.isin(true, classes)
            total = int(a.sum()) + int(b.sum())
            rows[region].append(2 * int((a & b).sum()) / total if total else 1.0)
            if region == "scar" and b.any():
                with_scar.append(rows[region][-1])
    scores = {region: round(float(np.mean(values)), 4) for region, values in rows.items()}
    return {**scores, "scar_in_infarcts": round(float(np.mean(with_scar)), 4) if with_scar else 1.0}


def wait_for(paths: Sequence[Path], seconds: float) -> None:
    """Wait until all files are there.

    Raises:
        TrainingError: They did not come in time.
    """
    end = time.monotonic() + seconds
    while missing := [path.name for path in paths if not path.exists()]:
        if time.monotonic() > end:
            message = f"{', '.join(missing)} did not come within {seconds:.0f} s; train those folds first."
            raise TrainingError("missing_fold", message)
        time.sleep(0.2)


def _save(network: nn.Module, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    with atomic_path(path) as temporary:
        torch.save(tensors, temporary)


