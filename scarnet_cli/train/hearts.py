"""Labelled stacks as tensors of one shape on one device, so that whole batches are drawn and augmented there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from scarnet_cli.cases.cases import Case
from scarnet_cli.image.labels import Label
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.train.stacks import make_stack

# Fewer pixels of blood pool do not define an endocardium.
_LEAST_POOL: Final = 10
_BYTE: Final = 255


@dataclass(frozen=True, slots=True)
class Hearts:
    """Stacks padded with empty slices to the length of the longest.

    Attributes:
        names: Case ids.
        image: (N, Z, S, S) uint8, 0 to 255 between each slice's percentiles 0.5 and 99.5.
        labels: (N, Z, S, S) uint8 values of `Label`.
        depth: (N, Z, S, S) uint8, depth of a pixel in the wall from 0 in the blood pool to 255 outside the epicardium;
            255 everywhere in slices without a blood pool.
        slices: (N,) number of slices that are not padding.
        shows_scar: Whether scar is visible and drawn; False for cine.
    """

    names: tuple[str, ...]
    image: Tensor
    labels: Tensor
    depth: Tensor
    slices: Tensor
    shows_scar: bool = True

    def to(self, device: str) -> "Hearts":
        """Return the same hearts on a device."""
        moved = {name: getattr(self, name).to(device) for name in ("image", "labels", "depth", "slices")}
        return replace(self, **moved)

    def only(self, names: Sequence[str]) -> "Hearts":
        """Return the named hearts, in the order given."""
        rows = torch.tensor([self.names.index(name) for name in names], device=self.image.device)
        parts = {name: getattr(self, name)[rows] for name in ("image", "labels", "depth", "slices")}
        return replace(self, names=tuple(names), **parts)

    def without(self, names: Sequence[str]) -> "Hearts":
        """Return all but the named hearts."""
        return self.only([name for name in self.names if name not in set(names)])


def make_hearts(cases: Sequence[Case], spec: NetworkSpec, *, shows_scar: bool = True) -> Hearts:
    """Return cases resampled to a network's pixel spacing round the expert's left ventricle (see `train.stacks`)."""
    stacks = [make_stack(case, spec) for case in cases]
    longest, size = max(len(stack.image) for stack in stacks), stacks[0].image.shape[-1]
    image, labels, depth = (torch.zeros(len(cases), longest, size, size, dtype=torch.uint8) for _ in range(3))
    depth += _BYTE
    for row, stack in enumerate(stacks):
        number = len(stack.image)
        image[row, :number] = (stack.image * _BYTE).round().to(torch.uint8)
        labels[row, :number] = stack.labels
        depth[row, :number] = torch.from_numpy(np.stack([wall_depth(one) for one in stack.labels.numpy()]))
    slices = torch.tensor([len(stack.image) for stack in stacks])
    return Hearts(tuple(case.case_id for case in cases), image, labels, depth, slices, shows_scar)


def wall_depth(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return the depth in the wall of each pixel of a (y, x) slice: 0 at the endocardium, 255 at the epicardium."""
    pool, wall = labels == Label.BLOOD_POOL, labels >= Label.MYOCARDIUM
    if np.count_nonzero(pool) < _LEAST_POOL or not wall.any():
        return np.full(labels.shape, _BYTE, np.uint8)
    inner = np.asarray(distance_transform_edt(~pool))
    outer = np.asarray(distance_transform_edt(pool | wall))
    return np.round(_BYTE * inner / (inner + outer + 1e-6)).astype(np.uint8)
