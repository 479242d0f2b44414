"""A toy heart (a bright ring with a scar wedge), tiny networks and their weights files, scores; all without torch."""

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from scarnet_cli.cases.cases import Case
from scarnet_cli.evaluate.region import dice
from scarnet_cli.image.labels import REGIONS, region_mask
from scarnet_cli.image.volume import Volume
from scarnet_cli.model.spec import NetworkSpec, Task

SPACING_ZYX_MM = (10.0, 1.6, 1.2)


def toy_case(name: str, *, scar: bool, centre_yx: tuple[int, int] = (40, 60), slices: int = 3) -> Case:
    """Return a ring of 12 to 20 mm radius round `centre_yx` (pixels), with a quarter of it scar if asked for."""
    y, x = np.meshgrid(np.arange(90), np.arange(120), indexing="ij")
    dy, dx = (y - centre_yx[0]) * SPACING_ZYX_MM[1], (x - centre_yx[1]) * SPACING_ZYX_MM[2]
    radius = np.hypot(dy, dx)
    plane = np.zeros(y.shape, np.uint8)
    plane[radius < 20] = 2
    plane[radius < 12] = 1
    if scar:
        plane[(plane == 2) & (dy > 0) & (dx > 0)] = 3
    labels = np.repeat(plane[None], slices, axis=0)
    noise = np.random.default_rng(len(name)).normal(0, 4, labels.shape)
    image = (np.array([60, 160, 20, 220], np.float32)[labels] + noise).astype(np.float32)
    grid = Volume(image, SPACING_ZYX_MM, (0.0, 0.0, 0.0), np.eye(3))
    return Case(name, grid, grid.with_array(labels))


def toy_spec(task: Task = Task.SEGMENT) -> NetworkSpec:
    """Return a network small enough to train in seconds."""
    classes, context = (5, 1) if task is Task.SEGMENT else (2, 0)
    return NetworkSpec("toy", task, "unet", classes, 2.0, context, 48, {"features": 4, "levels": 3})


def toy_weights(*, value: float = 0.0, spec: NetworkSpec | None = None) -> bytes:
    """Return a whole weights file of one tensor with 6 parameters, and one of statistics, which are none."""
    tensors = {"kernel": np.full((2, 3), value, np.float16), "norm.running_mean": np.zeros(4, np.float16)}
    return save(tensors, metadata={"scarnet_spec": (spec or toy_spec()).to_json()})


def region_dice(ours: NDArray[np.integer], reference: NDArray[np.integer]) -> dict[str, float]:
    """Return the Dice of each of `REGIONS` over whole label maps."""
    return {region: dice(region_mask(ours, region), region_mask(reference, region)) for region in REGIONS}
