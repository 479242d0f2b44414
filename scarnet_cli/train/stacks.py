"""Cases resampled to a network's pixel spacing, once before training; slices are drawn from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from scarnet_cli.cases.cases import Case
from scarnet_cli.image.intensity import scale_slices
from scarnet_cli.image.labels import Label
from scarnet_cli.image.resample import centre_yx_mm, in_plane_grid, resample_labels, resample_to
from scarnet_cli.image.volume import Volume
from scarnet_cli.model.spec import NetworkSpec, Task

# Size of a stack relative to the crop, so that rotations and shifts bring in real tissue rather than padding.
MARGIN: Final = 1.5


@dataclass(frozen=True, slots=True)
class Stack:
    """One case at the network's pixel spacing.

    Attributes:
        image: (z, size, size) intensities, each slice scaled so that its percentiles 0.5 and 99.5 are 0 and 1.
        labels: (z, size, size) label values, for the localiser too: its augmentation needs wall and blood pool.
    """

    image: Tensor
    labels: Tensor


def left_ventricle_centre_yx_mm(labels: Volume) -> tuple[float, float]:
    """Return the centroid of blood pool and wall over all slices, (y, x) in mm from the centre of pixel (0, 0)."""
    _, rows, columns = np.nonzero(labels.array > Label.BACKGROUND)
    if not rows.size:
        return centre_yx_mm(labels)
    return float(rows.mean()) * labels.spacing_zyx_mm[1], float(columns.mean()) * labels.spacing_zyx_mm[2]


def make_stack(case: Case, spec: NetworkSpec) -> Stack:
    """Return one case resampled in plane: round the left ventricle for SEGMENT, round the middle for LOCALISE."""
    if spec.task is Task.SEGMENT:
        centre, size = left_ventricle_centre_yx_mm(case.labels), int(spec.crop * MARGIN)
    else:
        centre, size = centre_yx_mm(case.labels), spec.crop
    grid = in_plane_grid(case.image, centre, (size, size), spec.pixel_mm)
    labels = resample_labels(case.labels, grid, len(Label)).array
    image = resample_to(case.image.with_array(scale_slices(case.image.array)), grid).array
    return Stack(torch.from_numpy(image), torch.from_numpy(labels))


def make_stacks(cases: Iterable[Case], spec: NetworkSpec) -> list[Stack]:
    """Return all cases resampled (see `make_stack`)."""
    return [make_stack(case, spec) for case in cases]


def slice_index(stacks: Sequence[Stack]) -> list[tuple[int, int]]:
    """Return (stack, slice) of every slice."""
    return [(s, z) for s, stack in enumerate(stacks) for z in range(len(stack.image))]


def with_context(image: Tensor, z: int, context: int) -> Tensor:
    """Return slice z of a (z, y, x) stack with its neighbours, (channels, y, x); end slices are repeated."""
    return image[torch.arange(z - context, z + context + 1).clamp(0, len(image) - 1)]
