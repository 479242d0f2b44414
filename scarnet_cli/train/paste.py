"""Augmentation that pastes scars of real hearts into hearts without scar.

Walls of different shapes are matched by two coordinates: the angle round the blood pool's centre, and the depth from
endocardium (0) to epicardium (1).
"""

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, uniform_filter
from scipy.spatial import KDTree
from torch import Tensor

from scarnet_cli.image.labels import Label

# Fewer pixels of blood or healthy wall give no reliable level; less contrast between them gives no reliable scale.
_LEAST_PIXELS: Final = 10
_LEAST_CONTRAST: Final = 0.05
_MOST_SCALE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Wall:
    """The left ventricle's wall in one slice.

    Attributes:
        pixels: (n, 2) rows and columns.
        angle: (n,) angles round the blood pool's centre, in radians.
        depth: (n,) depths, 0 at the endocardium to 1 at the epicardium.
        level: Median signal of healthy myocardium.
        contrast: Median signal of the blood pool minus `level`.
    """

    pixels: NDArray[np.intp]
    angle: NDArray[np.float64]
    depth: NDArray[np.float64]
    level: float
    contrast: float

    def points(self, turn: float = 0.0) -> NDArray[np.float64]:
        """Return (n, 3) points that are close together if their pixels are close in the wall, turned by radians."""
        return np.stack([np.cos(self.angle + turn), np.sin(self.angle + turn), self.depth], axis=1)


def paste_scars(image: Tensor, labels: Tensor, probability: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a batch in which slices without scar may get one from another slice of the batch, at any angle.

    Args:
        image: (B, C, Y, X) intensities in 0..1; the middle channel is the labelled slice, the others change with it.
        labels: (B, Y, X) classes.
        probability: Probability that a slice without scar gets one, if the batch has any.
        generator: Source of all random numbers.

    Returns:
        New images and classes; the arguments are not changed.
    """
    chosen, which, turn = torch.rand((3, len(image)), generator=generator).numpy()
    pictures, classes = image.numpy().copy(), labels.numpy().copy()
    scarred = (classes >= Label.SCAR).any(axis=(1, 2))
    middle = image.shape[1] // 2
    donors = [(b, find_wall(pictures[b, middle], classes[b])) for b in np.flatnonzero(scarred)]
    donors = [(b, wall) for b, wall in donors if wall is not None and wall.contrast > _LEAST_CONTRAST]
    for b in np.flatnonzero(~scarred & (chosen < probability)) if donors else ():
        wall = find_wall(pictures[b, middle], classes[b])
        if wall is not None:
            donor, theirs = donors[int(which[b] * len(donors))]
            nearest = np.asarray(KDTree(theirs.points()).query(wall.points(turn[b] * 2 * pi))[1])
            _paste((pictures[b], classes[b], wall), (pictures[donor], classes[donor], theirs), nearest)
    return torch.from_numpy(pictures), torch.from_numpy(classes)


def find_wall(picture: NDArray[np.float32], labels: NDArray[np.integer]) -> Wall | None:
    """Return the wall of one (Y, X) slice, or None if it has too little blood pool or healthy myocardium."""
    pool, wall = labels == Label.BLOOD_POOL, labels >= Label.MYOCARDIUM
    healthy = picture[labels == Label.MYOCARDIUM]
    if min(np.count_nonzero(pool), healthy.size) < _LEAST_PIXELS:
        return None
    pixels = np.argwhere(wall)
    from_centre = pixels - np.argwhere(pool).mean(axis=0)
    inner = np.asarray(distance_transform_edt(~pool))[wall]
    outer = np.asarray(distance_transform_edt(pool | wall))[wall]
    level = float(np.median(healthy))
    angle = np.arctan2(from_centre[:, 0], from_centre[:, 1])
    return Wall(pixels, angle, inner / (inner + outer), level, float(np.median(picture[pool])) - level)


Slice = tuple[NDArray[np.float32], NDArray[np.integer], Wall]


def _paste(ours: Slice, theirs: Slice, nearest: NDArray[np.intp]) -> None:
    """Change one slice's (C, Y, X) picture and (Y, X) labels where the donor's wall has scar at the matching pixels."""
    (picture, labels, wall), (their_picture, their_labels, their_wall) = ours, theirs
    rows, columns = wall.pixels.T
    their_rows, their_columns = their_wall.pixels[nearest].T
    label = their_labels[their_rows, their_columns]
    scar = np.zeros(labels.shape, np.float32)
    scar[rows, columns] = label >= Label.SCAR
    share = uniform_filter(scar, 3)[rows, columns]  # soft borders, as from partial volume
    scale = np.clip(wall.contrast / their_wall.contrast, 0.0, _MOST_SCALE)
    signal = wall.level + scale * (their_picture[:, their_rows, their_columns] - their_wall.level)
    picture[:, rows, columns] += share * (signal - picture[:, rows, columns])
    labels[rows, columns] = np.where(label >= Label.SCAR, label, labels[rows, columns])
