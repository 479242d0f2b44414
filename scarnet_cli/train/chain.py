"""The chain of trainings: slice networks, their probabilities for held-out cases, stack networks, one file per member.

A member is a fold, which trains without its held-out cases, or "all". Every member's stack network learns from the
probabilities that the *folds'* slice networks give for their held-out cases, so all slice networks are trained first.
Members are trained one after the other, or in parallel as several processes that wait for each other.
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
from scarnet_cli.files import atomic_path
from scarnet_cli.image.intensity import middle_of
from scarnet_cli.infer.segment import NORMALISED_BY, WINDOW
from scarnet_cli.infer.views import View, enlarged_views
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.model.stack_net import StackedScarNet, StackNet, StackNetOptions
from scarnet_cli.model.weights import load_weights, save_weights
from scarnet_cli.train.hearts import Hearts
from scarnet_cli.train.optimising import Pace
from scarnet_cli.train.slice_stage import SliceSettings, train_slices
from scarnet_cli.train.stack_stage import StackSettings, padded_maps, train_stacks, window_probabilities

log = logging.getLogger(__name__)

ALL: Final = "all"
SLICE_WEIGHTS: Final = "slices.safetensors"
WEIGHTS: Final = "weights.safetensors"


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Settings of the training of members.

    Attributes:
        slices: Settings of the slice network's training.
        stacks: Settings of the stack network's training.
        slice_pace: Length of the slice network's training.
        stack_pace: Length of the stack network's training.
        wait_seconds: How long a member waits for the others' probabilities.
    """

    slices: SliceSettings = field(default_factory=SliceSettings)
    stacks: StackSettings = field(default_factory=StackSettings)
    slice_pace: Pace = field(default_factory=lambda: Pace(steps=1400))
    stack_pace: Pace = field(default_factory=lambda: Pace(steps=950))
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Material:
    """Data that all members share: hearts, cine hearts if any, and the case ids that each fold holds out."""

    hearts: Hearts
    cine: Hearts | None
    folds: Sequence[Sequence[str]]

    @property
    def members(self) -> list[str]:
        """Names of all members."""
        return [*map(str, range(len(self.folds))), ALL]

    def held_out(self, member: str) -> list[str]:
        """Return the ids of the cases that a member does not see."""
        return [] if member == ALL else list(self.folds[int(member)])


def train_chain(
    material: Material, start: nn.Module, spec: NetworkSpec, settings: ChainSettings, out: Path, members: Sequence[str]
) -> None:
    """Train members and write out/fold_MEMBER/weights.safetensors; networks that already exist are not trained again.

    Raises:
        TrainingError: A loss diverged, or the probabilities of members trained elsewhere did not arrive in time.
    """
    for member in members:
        if not (out / f"fold_{member}" / SLICE_WEIGHTS).exists():
            log.info("member %s: slices", member)
            _train_slices_of(member, material, start, spec, settings, out)
    for member in members:
        if not (out / f"fold_{member}" / WEIGHTS).exists():
            log.info("member %s: stacks", member)
            _train_stacks_of(member, material, spec, settings, out)


def stacked_spec(spec: NetworkSpec) -> NetworkSpec:
    """Return the spec of the whole model that a slice network is part of."""
    return replace(spec, architecture="scarnet_stack", options={**spec.options, "stack": {}}, decision={})


def _train_slices_of(
    member: str, material: Material, start: nn.Module, spec: NetworkSpec, settings: ChainSettings, out: Path
) -> None:
    device = material.hearts.image.device
    torch.manual_seed(settings.slices.seed)
    network = build_model(spec).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.load_state_dict(start.state_dict())
    held_out = material.held_out(member)
    hearts = material.hearts.without(held_out)
    average = train_slices(network, hearts, material.cine, settings.slices, settings.slice_pace)
    if held_out:
        _predict(average, material.hearts.only(held_out), spec, _probabilities(out, member))
    # Written last, so that its presence shows that the probabilities are complete.
    save_weights(out / f"fold_{member}" / SLICE_WEIGHTS, average, spec)


def _train_stacks_of(member: str, material: Material, spec: NetworkSpec, settings: ChainSettings, out: Path) -> None:
    hearts = material.hearts.without(material.held_out(member))
    paths = [_probabilities(out, str(fold)) for fold in range(len(material.folds))]
    wait_for(paths, settings.wait_seconds)
    device = hearts.image.device
    maps = stack_maps(hearts, read_probabilities(paths)).to(device)
    torch.manual_seed(settings.stacks.seed)
    stack = StackNet(spec.classes, StackNetOptions()).to(device)
    average = train_stacks(stack, hearts, maps, settings.stacks, settings.stack_pace)
    whole = build_model(stacked_spec(spec))
    assert isinstance(whole, StackedScarNet)
    whole.slices.load_state_dict(load_weights(out / f"fold_{member}" / SLICE_WEIGHTS).network.state_dict())
    whole.stack.load_state_dict(average.state_dict())
    save_weights(out / f"fold_{member}" / WEIGHTS, whole.eval(), stacked_spec(spec))


def pairs_of_views(zoom: float) -> list[tuple[View, ...]]:
    """Return the pairs of the six views for which probabilities are kept; inference uses the first pair."""
    views = enlarged_views(zoom)
    return [views[first : first + 2] for first in range(0, len(views), 2)]


def stack_maps(hearts: Hearts, probabilities: Mapping[str, Tensor]) -> Tensor:
    """Return (N, V, Z, classes, S, S) maps of the hearts from (V, Z, classes, window, window) probabilities by case."""
    deep, size = hearts.image.shape[1], hearts.image.shape[-1]
    return torch.stack(
        [torch.stack([padded_maps(way, deep, size) for way in probabilities[name]]) for name in hearts.names]
    )


def read_probabilities(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Return case id -> (V, Z, classes, window, window) float16 probabilities from all files."""
    found: dict[str, Tensor] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            found |= {name: torch.from_numpy(stored[name]) for name in stored.files}
    return found


def wait_for(paths: Sequence[Path], seconds: float) -> None:
    """Wait until all files exist.

    Raises:
        TrainingError: A file is still missing after `seconds`.
    """
    end = time.monotonic() + seconds
    while missing := [path.stem for path in paths if not path.exists()]:
        if time.monotonic() > end:
            message = f"There are no {', '.join(missing)}; train the slice networks of those folds first."
            raise TrainingError("missing_fold", message)
        time.sleep(0.2)


def _probabilities(out: Path, member: str) -> Path:
    return out / f"probabilities_{member}.npz"


def _predict(network: nn.Module, hearts: Hearts, spec: NetworkSpec, path: Path) -> None:
    """Write the (V, Z, classes, window, window) probabilities of each heart, one for each of V pairs of views."""
    ways = pairs_of_views(spec.zoom)
    middle = middle_of(hearts.image.shape[-1], min(WINDOW, hearts.image.shape[-1]))
    found: dict[str, np.ndarray] = {}
    for row, name in enumerate(hearts.names):
        seen = [window_probabilities(network, hearts, row, views, middle, NORMALISED_BY) for views in ways]
        found[name] = torch.stack(seen).cpu().numpy().astype(np.float16)
    with atomic_path(path) as temporary:
        np.savez(temporary, **found)  # type: ignore[arg-type]
