"""Toy hearts (a bright ring with a scar wedge) and their files, tiny networks, scores; all without torch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from scarnet_cli.cases.cases import Case
from scarnet_cli.evaluate.region import dice_of_region
from scarnet_cli.image.labels import REGIONS
from scarnet_cli.image.volume import Volume, write_nifti
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


def write_emidec_case(case: Case, root: Path, labels: Volume | None) -> None:
    """Write a case's image and labels, if any, as EMIDEC's folders hold them."""
    folder = root / case.case_id
    write_nifti(case.image, folder / "Images" / f"{case.case_id}.nii.gz")
    if labels is not None:
        write_nifti(labels, folder / "Contours" / f"{case.case_id}.nii.gz")


def write_sheet(root: Path, count: int, *, slices: int, times: int = 1, scans: int = 1) -> Path:
    """Write hearts, every second with scar, and the table of them; labels are `times` ours, a patient has `scans`."""
    rows = ["case,image,labels,patient"]
    for number in range(count):
        case = toy_case(f"scan{number}", scar=number % 2 == 0, slices=slices)
        write_nifti(case.image, root / f"{number}.nii.gz")
        write_nifti(case.labels.with_array(case.labels.array.astype(np.int16) * times), root / f"{number}_seg.nii.gz")
        rows.append(f"{case.case_id},{number}.nii.gz,{number}_seg.nii.gz,patient{number // scans}")
    (root / "cases.csv").write_text("\n".join([*rows, ""]))
    return root / "cases.csv"


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
    return {region: dice_of_region(ours, reference, region) for region in REGIONS}
