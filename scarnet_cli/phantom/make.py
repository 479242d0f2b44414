"""Make a phantom: a late gadolinium enhancement short-axis stack in which the tissue of every voxel is known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.acquire import acquire, lung_vessels, shade
from scarnet_cli.phantom.chest import chest_signal
from scarnet_cli.phantom.draw import draw_spec
from scarnet_cli.phantom.heart import LABEL_OF_TISSUE, Tissue, scar_depth, tissue_at, wall_radii_mm
from scarnet_cli.phantom.spec import Contrast, Heart, PhantomSpec, Scan, heart_axes

# Partial volume of the heart: points (z, y, x) in a voxel where tissue is sampled, as fractions of its size. Each level
# through the slice has a different in-plane position, which costs less than a regular grid and leaves no steps.
_SAMPLES: Final = tuple(
    ((level + 0.5) / 6 - 0.5, y, x)
    for level, (y, x) in enumerate(((-0.3, 0.1), (0.25, -0.25), (-0.1, -0.4), (0.4, 0.3), (-0.4, -0.1), (0.1, 0.4)))
)
# Phase-sensitive pixels are unsigned 12-bit with air in the middle, as Siemens stores them.
PSIR_AIR: Final = 2048
_PIXEL_MAX: Final = 4095


@dataclass(frozen=True, slots=True)
class Truth:
    """True measures of a phantom, counted in its label map; percentages are of the myocardium's volume.

    `transmurality` is computed from the formulas; see `transmurality_percent`. `rv_insertion_xyz_mm` is in LPS.
    """

    seed: int
    component: str
    scar_percent_lv: float
    mvo_percent_lv: float
    myocardium_ml: float
    scar_ml: float
    mvo_ml: float
    blood_pool_ml: float
    transmurality: float | None
    rv_insertion_xyz_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Phantom:
    """A synthetic study.

    Attributes:
        image: float32 (z, y, x), whole numbers from 0 to 4095, in the contrast of `truth.component`.
        twin: The same slices in the other contrast.
        labels: uint8 label map on the same grid; a voxel has the label of the tissue at its centre.
        truth: The true measures.
    """

    image: Volume
    twin: Volume
    labels: Volume
    truth: Truth


def make_phantom(seed: int, spec: PhantomSpec | None = None) -> Phantom:
    """Return the phantom of `spec`, by default drawn from `seed`; `seed` also decides noise and texture.

    Equal arguments give equal voxels.
    """
    spec = spec or draw_spec(seed)
    rng = np.random.default_rng([seed, 1])
    grid = scan_grid(spec)
    labels = grid.with_array(LABEL_OF_TISSUE[tissue_at(spec.heart, _heart_points(spec, grid, np.zeros(3)))])
    signal = _signal(spec, grid, rng)
    pictures = _pictures(signal, spec, rng)
    image, twin = (grid.with_array(pictures[c]) for c in _components(spec.contrast))
    return Phantom(image, twin, labels, _truth(seed, spec, labels))


def _components(contrast: Contrast) -> tuple[str, str]:
    return ("psir", "magnitude") if contrast.component == "psir" else ("magnitude", "psir")


def scan_grid(spec: PhantomSpec) -> Volume:
    """Return the scan's grid in LPS as a volume of zeros, uint8 (z, y, x); its direction is always right-handed."""
    scan = spec.scan
    axes = heart_axes(spec.chest) @ _tilt(scan)
    lateral, anterior, apical = axes.T
    turn = np.deg2rad(scan.turn_deg)
    inward = 1 if scan.from_apex else -1
    across = np.cos(turn) * lateral - np.sin(turn) * anterior
    down = inward * (-np.sin(turn) * lateral - np.cos(turn) * anterior)
    normal = np.cross(across, down)
    direction = np.stack([across, down, normal], axis=1)
    z, y, x = scan.shape_zyx
    dz, dy, dx = scan.spacing_zyx_mm
    # The first slice in the array is the most apical one if slices run from the apex.
    first_mm = scan.first_mm + (z - 1) * dz if scan.from_apex else scan.first_mm
    middle = np.array(spec.chest.base_xyz_mm) + first_mm * apical
    middle = middle + scan.centre_mm[0] * across + scan.centre_mm[1] * down
    ox, oy, oz = (float(v) for v in middle - (x - 1) / 2 * dx * across - (y - 1) / 2 * dy * down)
    return Volume(np.zeros(scan.shape_zyx, dtype=np.uint8), scan.spacing_zyx_mm, (ox, oy, oz), direction)


def _tilt(scan: Scan) -> NDArray[np.float64]:
    """Return the (3, 3) rotation of the slices against the heart frame."""
    a, b = np.deg2rad(scan.tilt_deg)
    about_lateral = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_anterior = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return about_lateral @ about_anterior


def _world_points(spec: PhantomSpec, grid: Volume, offset_zyx_mm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return LPS points (3, z, y, x) of the body at voxel centres plus an offset, without the breathing shift."""
    return _points(spec, grid, offset_zyx_mm, np.array(grid.origin_xyz_mm), grid.direction)


def _heart_points(spec: PhantomSpec, grid: Volume, offset_zyx_mm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the points of `_world_points` in the heart frame."""
    to_heart = heart_axes(spec.chest).T
    origin = to_heart @ (np.array(grid.origin_xyz_mm) - spec.chest.base_xyz_mm)
    return _points(spec, grid, offset_zyx_mm, origin, to_heart @ grid.direction)


def _points(
    spec: PhantomSpec,
    grid: Volume,
    offset_zyx_mm: NDArray[np.float64],
    origin: NDArray[np.float64],
    directions: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return points (3, z, y, x) in mm, in the frame in which the grid has this origin and these directions."""
    z, y, x = grid.shape_zyx
    dz, dy, dx = grid.spacing_zyx_mm
    breath = np.zeros((z, 2)) if not spec.scan.breath_mm else np.array(spec.scan.breath_mm)
    along_z = (np.arange(z) * dz + offset_zyx_mm[0])[:, None, None]
    along_y = np.arange(y)[None, :, None] * dy + offset_zyx_mm[1] - breath[:, 1][:, None, None]
    along_x = np.arange(x)[None, None, :] * dx + offset_zyx_mm[2] - breath[:, 0][:, None, None]
    points = np.empty((3, z, y, x), dtype=np.float32)
    for axis in range(3):
        row = directions[axis]
        in_rows = (origin[axis] + along_z * row[2] + along_y * row[1]).astype(np.float32)
        np.add(in_rows, (along_x * row[0]).astype(np.float32), out=points[axis])
    return points


def _heart_window(spec: PhantomSpec, grid: Volume) -> tuple[slice, slice]:
    """Return the rows and columns that hold the heart in any slice; only these are sampled finely."""
    radius = spec.heart.epicardial_radius_mm * 1.1
    ends = np.meshgrid((-3.3 * radius, 1.5 * radius), (-1.6 * radius, 1.6 * radius), (0, spec.heart.length_mm))
    corners = np.stack([e.ravel() for e in ends])  # (3, 8)
    world = (heart_axes(spec.chest) @ corners).T + spec.chest.base_xyz_mm
    index_xyz = ((world - grid.origin_xyz_mm) @ grid.direction) / grid.spacing_zyx_mm[::-1]
    low, high = np.floor(index_xyz.min(axis=0)).astype(int) - 4, np.ceil(index_xyz.max(axis=0)).astype(int) + 5
    _, y, x = grid.shape_zyx
    return slice(max(low[1], 0), min(high[1], y)), slice(max(low[0], 0), min(high[0], x))


def _sub_grid(grid: Volume, rows: slice, columns: slice) -> Volume:
    ox, oy, oz = (float(v) for v in grid.world(np.array([0, rows.start, columns.start])))
    return Volume(grid.array[:, rows, columns], grid.spacing_zyx_mm, (ox, oy, oz), grid.direction)


def _signal(spec: PhantomSpec, grid: Volume, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the signed signal (z, y, x) of body and heart, with partial volume."""
    pixel_mm = grid.spacing_zyx_mm[1]
    body, lungs = chest_signal(spec.chest, spec.contrast, _world_points(spec, grid, np.zeros(3)), pixel_mm)
    body += lung_vessels(lungs, pixel_mm, rng) * spec.contrast.blood
    rows, columns = _heart_window(spec, grid)
    heart, cover = _heart_signal(spec, _sub_grid(grid, rows, columns))
    body[:, rows, columns] = body[:, rows, columns] * (1 - cover) + heart
    return body


def _heart_signal(spec: PhantomSpec, grid: Volume) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the heart's signal times its fraction of each voxel, and that fraction; both (z, y, x)."""
    c = spec.contrast
    of_tissue = [0, c.blood, c.myocardium, c.scar, c.mvo, c.myocardium, 0.97 * c.blood, c.myocardium, c.fat]
    values = np.array(of_tissue, dtype=np.float32)
    total, cover = np.zeros(grid.shape_zyx, np.float32), np.zeros(grid.shape_zyx, np.float32)
    _, dy, dx = grid.spacing_zyx_mm
    voxel_mm = np.array([spec.scan.thickness_mm, dy, dx])
    for sample in _SAMPLES:
        tissue = tissue_at(spec.heart, _heart_points(spec, grid, np.array(sample) * voxel_mm))
        total += values[tissue]
        cover += tissue != Tissue.OUTSIDE
    return total / len(_SAMPLES), cover / len(_SAMPLES)


def _pictures(
    signal: NDArray[np.float32], spec: PhantomSpec, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Return both contrasts (z, y, x) by name, as whole numbers from 0 to 4095."""
    spacing_mm = spec.scan.spacing_zyx_mm[1]
    picture = acquire(shade(signal, spec.contrast, rng), spec.contrast, spacing_mm, rng)
    psir = PSIR_AIR + spec.contrast.gain * picture.real
    magnitude = 2 * spec.contrast.gain * np.abs(picture)
    return {
        k: np.clip(np.rint(v), 0, _PIXEL_MAX).astype(np.float32) for k, v in (("psir", psir), ("magnitude", magnitude))
    }


def _truth(seed: int, spec: PhantomSpec, labels: Volume) -> Truth:
    ml = {
        r: float(region_mask(labels.array, r).sum()) * labels.voxel_ml
        for r in ("myocardium", "scar", "mvo", "blood_pool")
    }
    x, y, z = (float(v) for v in rv_insertion_mm(spec))
    return Truth(
        seed=seed,
        component=spec.contrast.component,
        scar_percent_lv=100 * ml["scar"] / ml["myocardium"],
        mvo_percent_lv=100 * ml["mvo"] / ml["myocardium"],
        myocardium_ml=ml["myocardium"],
        scar_ml=ml["scar"],
        mvo_ml=ml["mvo"],
        blood_pool_ml=ml["blood_pool"],
        transmurality=transmurality_percent(spec.heart, _slice_places_mm(spec.scan)),
        rv_insertion_xyz_mm=(x, y, z),
    )


def _slice_places_mm(scan: Scan) -> NDArray[np.floating]:
    return scan.first_mm + np.arange(scan.shape_zyx[0]) * scan.spacing_zyx_mm[0]


def transmurality_percent(heart: Heart, places_mm: NDArray[np.floating]) -> float | None:
    """Return the mean percentage of the wall that is scar, over the chords with scar; None without scar.

    Chords run from endocardium to epicardium, one per degree, in slices at `places_mm` from the mitral plane.
    """
    places, angles = np.meshgrid(places_mm, np.deg2rad(np.arange(360.0)), indexing="ij")
    _, epicardium = wall_radii_mm(heart, places, angles)
    depth = np.zeros(places.shape)
    for scar in heart.scars:
        depth = np.maximum(depth, scar_depth(scar, places, angles))
    depth = np.minimum(depth, 1)[(depth > 0) & (epicardium > 0) & (places >= 0)]
    return float(100 * depth.mean()) if depth.size else None


def rv_insertion_mm(spec: PhantomSpec) -> NDArray[np.float64]:
    """Return the LPS point (3,) in mm where the right ventricle meets the anterior wall of the left, at 0.4 length."""
    place = np.array(0.4 * spec.heart.length_mm)
    angle = np.array(np.deg2rad(120.0))
    _, radius = wall_radii_mm(spec.heart, place, angle)
    point = np.array([radius * np.cos(angle), radius * np.sin(angle), place])
    return heart_axes(spec.chest) @ point + spec.chest.base_xyz_mm
