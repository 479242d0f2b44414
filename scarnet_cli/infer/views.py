"""Looking at a slice several times, turned, enlarged or mirrored, and taking the mean of what a network says."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class View:
    """How a picture is shown: turned by radians about its middle, enlarged by `zoom`, its columns reversed or not."""

    turn: float = 0.0
    zoom: float = 1.0
    mirrored: bool = False

    def show(self, picture: Tensor) -> Tensor:
        """Return a (B, C, Y, X) picture of the same size; beyond its edge it goes on as at the edge."""
        return _resample(picture, self._matrix())

    def undo(self, picture: Tensor) -> Tensor:
        """Return what was seen in this view, (B, C, Y, X), brought back."""
        return _resample(picture, np.linalg.inv(self._matrix()))

    def _matrix(self) -> NDArray[np.float64]:
        """Return the (2, 2) matrix from (x, y) of the view, in pixels from its middle, to (x, y) of the picture."""
        turned = np.array([[cos(self.turn), -sin(self.turn)], [sin(self.turn), cos(self.turn)]])
        return turned @ np.diag([-1.0 if self.mirrored else 1.0, 1.0]) / self.zoom


# A network that was trained on all turns and mirror images alike is shown the picture's four mirror images. One that
# was trained mostly on upright pictures loses by those; it gains where hearts are enlarged. On held-out cases (fold 2
# of 5) one enlarged view in place of the picture as it is gave the U-Net 1.1 points of Dice of myocardium and 4 of
# scar, four views 1.3 and 4.6.
MIRRORS: Final = tuple(View(turn, mirrored=mirrored) for turn in (0.0, pi) for mirrored in (False, True))
ENLARGED: Final = (View(0.25, 1.18), View(-0.25, 1.18), View(0.08, 1.09), View(-0.08, 1.25))
ONCE: Final = (View(zoom=1.18),)


def mean_over_views(network: nn.Module, image: Tensor, views: Sequence[View]) -> Tensor:
    """Return a network's mean probabilities over views of an image, which go through it as one batch.

    Args:
        network: (B, C, Y, X) images to (B, classes, Y, X) logits.
        image: (B, C, Y, X).
        views: At least one.
    """
    batch = torch.cat([view.show(image) for view in views]).contiguous(memory_format=torch.channels_last)
    probability = torch.softmax(network(batch).float(), dim=1).chunk(len(views))
    return torch.stack([view.undo(part) for view, part in zip(views, probability, strict=True)]).mean(dim=0)


def _resample(picture: Tensor, matrix: NDArray[np.floating]) -> Tensor:
    """Return what the picture has at `matrix` times the new picture's (x, y), in pixels from the middle."""
    # torch counts from -1 to 1 along each side, so that a picture that is not square is turned by its aspect.
    half = np.array(picture.shape[:-3:-1]) / 2
    theta = np.column_stack([matrix * half / half[:, None], np.zeros(2)])
    grid = functional.affine_grid(
        torch.from_numpy(theta).to(picture).expand(len(picture), 2, 3), list(picture.shape), align_corners=False
    )
    return functional.grid_sample(picture, grid, padding_mode="border", align_corners=False)
