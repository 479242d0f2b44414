"""Stacks that show no short-axis heart: noise, patterns, photographs, other organs, and hearts cut along their axis."""

from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from skimage import data
from skimage.transform import resize

from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.make import make_phantom

SIDE = 160
SLICES = 3
# Of scikit-image, without those that it would have to fetch.
PHOTOGRAPHS = (
    *("camera", "astronaut", "brick", "grass", "gravel", "cell", "coins", "moon", "page", "text", "clock", "coffee"),
    *("chelsea", "rocket", "horse", "hubble_deep_field", "immunohistochemistry", "colorwheel", "microaneurysms"),
    *("shepp_logan_phantom", "checkerboard"),
)
# Of pydicom: tomography, ultrasound and radiographs of other organs, and screenshots.
SCANS = (
    *("CT_small", "MR_small", "emri_small", "examples_overlay", "examples_palette", "examples_rgb_color"),
    *("examples_ybr_color", "JPGExtended", "J2K_pixelrep_mismatch", "eCT_Supplemental", "rtdose", "SC_rgb"),
    *("liver_1frame", "color3d_jpeg_baseline", "mlut_18", "vlut_04"),
)


def other_images() -> Iterator[tuple[str, Volume]]:
    """Yield the name of each stack and the stack."""
    chance = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    radius = np.hypot(rows - SIDE / 2, columns - SIDE / 2)
    noise = chance.normal(size=(SLICES, SIDE, SIDE))
    patterns = {
        "noise": noise,
        "noise of magnitude": np.abs(noise),
        "noise, each slice brighter": np.abs(noise) + np.arange(SLICES)[:, None, None],
        "smooth noise": resize(noise[:, ::8, ::8], noise.shape),
        "ramp": np.stack([rows + columns * z for z in range(SLICES)]),
        "squares": np.stack([(rows // (6 + z) + columns // (6 + z)) % 2 for z in range(SLICES)]),
        "disc": (radius < SIDE / 5) + 0.05 * noise,
        "box": ((abs(rows - SIDE / 2) < 20) & (abs(columns - SIDE / 2) < 30)) + 0.05 * noise,
        "rings": np.sin(radius / 3) + 0.05 * noise,
        "stripes": np.sin(rows / 5) + 0.05 * noise,
    }
    for name, array in patterns.items():
        yield name, _stack(array)
    for name in PHOTOGRAPHS:
        yield f"photograph {name}", _stack(_windows(getattr(data, name)()))
    yield "blobs", _stack(_windows(data.binary_blobs(rng=0)))
    for name in SCANS:
        path = get_testdata_file(f"{name}.dcm", download=False)
        if path:
            yield f"scan {name}", _stack(_windows(pydicom.dcmread(str(path)).pixel_array))
    for path in sorted(Path(nibabel.__file__).parent.rglob("tests/data/*.nii.gz")):
        array = np.asarray(nibabel.load(path).dataobj, float)  # type: ignore[attr-defined]
        if array.ndim >= 3 and min(array.shape[:3]) > SLICES:
            yield f"head {path.name}", _stack(array.reshape(*array.shape[:3], -1)[..., 0].T, pixel_mm=2.0)
    heart = make_phantom(3).image
    fine = np.repeat(heart.array, round(heart.spacing_zyx_mm[0] / heart.spacing_zyx_mm[1]), axis=0)
    for name, axes in {"long axis": (1, 0, 2), "long axis, turned": (2, 0, 1)}.items():
        along = fine.transpose(axes)
        middle = len(along) // 2
        yield name, _stack(along[middle - 20 : middle + 20 : 8], pixel_mm=heart.spacing_zyx_mm[1])


def _stack(array: NDArray[np.number], pixel_mm: float = 1.5) -> Volume:
    chosen = array[np.linspace(0, len(array) - 1, SLICES).astype(int)]
    return Volume(chosen.astype(np.float32), (10.0, pixel_mm, pixel_mm), (0.0, 0.0, 0.0), np.eye(3))


def _windows(picture: NDArray[np.number]) -> NDArray[np.float64]:
    """Return a picture as a stack: windows along its diagonal, or its frames."""
    grey = np.asarray(picture, float)
    if grey.shape[-1] in (3, 4):
        grey = grey[..., :3].mean(axis=-1)
    if grey.ndim > 2:
        return grey.reshape(-1, *grey.shape[-2:])
    height, width = grey.shape
    scale = 1.1 * SIDE / min(height, width)
    if scale > 1:
        grey = np.asarray(resize(grey, (round(height * scale), round(width * scale)), order=0))
    starts = np.linspace((0, 0), np.subtract(grey.shape, SIDE), SLICES).astype(int)
    return np.stack([grey[row : row + SIDE, column : column + SIDE] for row, column in starts])
