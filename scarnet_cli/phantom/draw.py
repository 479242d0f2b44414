"""Draw a phantom's numbers at random, so that hearts, chests, scans and contrasts vary as real ones do."""

from dataclasses import replace
from typing import Final

import numpy as np

from scarnet_cli.phantom.spec import Chest, Component, Contrast, Heart, PhantomSpec, Scan, Scar, heart_axes

HEALTHY_FRACTION: Final = 0.3
MAGNITUDE_FRACTION: Final = 0.25
_NO_PAPILLARIES: Final = 0.1
_TWO_INFARCTS: Final = 0.12
# Share of large infarcts that have microvascular obstruction. An infarct is large if its length, as a fraction of the
# ventricle's, times its transmurality is above the second number.
_MVO: Final = 0.5
_MVO_LEAST: Final = 0.3
_FROM_BASE: Final = 0.15
_MOVED: Final = 0.15
_SIZES: Final = (160, 176, 192, 208, 224, 256)
# Middle of the infarct (degrees) and its extent along the ventricle (fractions of the length) for each blocked artery:
# left anterior descending, right coronary, circumflex (Cerqueira et al. 2002, doi:10.1161/hc0402.102975).
_TERRITORIES: Final = ((120.0, 0.25, 0.98), (240.0, 0.0, 0.7), (345.0, 0.05, 0.75))


def draw_spec(seed: int, component: Component | None = None) -> PhantomSpec:
    """Return the numbers drawn from a seed; `component` sets the kind of contrast and leaves anatomy and scan as is."""
    rng = np.random.default_rng([seed, 0])
    heart = _draw_heart(rng)
    chest = _fit_chest(_draw_chest(rng), heart)
    scan = _draw_scan(rng, heart)
    return PhantomSpec(seed, heart, chest, scan, _draw_contrast(rng, scan.shape_zyx[0], component))


def _draw_heart(rng: np.random.Generator) -> Heart:
    radius, wall = rng.uniform(30.0, 42.0), rng.uniform(7.5, 12.5)
    length = rng.uniform(2.3, 2.8) * radius
    papillary = (rng.uniform(3.0, 5.5, 2) * (rng.random() > _NO_PAPILLARIES)).tolist()
    phases = rng.uniform(0, 360, 2).tolist()
    return Heart(
        epicardial_radius_mm=radius,
        wall_mm=wall,
        length_mm=length,
        apical_wall_mm=wall * rng.uniform(0.6, 0.95),
        ovality=(rng.uniform(0, 0.07), rng.uniform(0, 0.03)),
        ovality_phase_deg=(phases[0], phases[1]),
        papillary_mm=(papillary[0], papillary[1]),
        trabeculae_mm=rng.uniform(0.0, 2.5),
        rv_width=rng.uniform(0.6, 1.0),
        rv_wall_mm=rng.uniform(2.0, 4.0),
        fat_mm=rng.uniform(0.3, 3.0),
        fat_side_deg=rng.uniform(120, 280),
        scars=_draw_scars(rng, length),
    )


def _draw_scars(rng: np.random.Generator, length_mm: float) -> tuple[Scar, ...]:
    if rng.random() < HEALTHY_FRACTION:
        return ()
    count = 2 if rng.random() < _TWO_INFARCTS else 1
    places = rng.choice(len(_TERRITORIES), count, replace=False)
    return tuple(_draw_scar(rng, _TERRITORIES[place], length_mm) for place in places)


def _draw_scar(rng: np.random.Generator, territory: tuple[float, float, float], length_mm: float) -> Scar:
    centre, start, end = territory
    reach = rng.uniform(0.55, 1.0) * (end - start)
    first = start + rng.uniform(0, end - start - reach)
    transmurality = rng.uniform(0.45, 1.2)
    large = reach * transmurality > _MVO_LEAST
    return Scar(
        centre_deg=(centre + rng.normal(0, 15)) % 360,
        width_deg=rng.uniform(60, 190),
        from_mm=first * length_mm,
        to_mm=(first + reach) * length_mm,
        transmurality_fraction=transmurality,
        roundness=rng.uniform(2.0, 5.0),
        mvo_fraction=rng.uniform(0.3, 0.6) if large and rng.random() < _MVO else 0.0,
    )


def _draw_chest(rng: np.random.Generator) -> Chest:
    axis = np.array([0.70, -0.55, -0.45]) + rng.normal(0, 0.07, 3)
    axis = (axis / np.linalg.norm(axis)).tolist()
    base = (np.array([26.0, -22.0, 12.0]) + rng.normal(0, 4, 3)).tolist()
    return Chest(
        half_axes_mm=(rng.uniform(145, 180), rng.uniform(102, 122)),
        fat_mm=rng.uniform(6, 30),
        muscle_mm=rng.uniform(7, 13),
        base_xyz_mm=(base[0], base[1], base[2]),
        axis_xyz=(axis[0], axis[1], axis[2]),
        diaphragm_mm=rng.uniform(-45, -25),
        stomach_air=bool(rng.integers(3)),
    )


def _fit_chest(chest: Chest, heart: Heart) -> Chest:
    """Return the chest, enlarged if the heart would stick out of its wall."""
    radius = 1.1 * heart.epicardial_radius_mm
    lateral, anterior, apical = heart_axes(chest).T
    septal_mm = (0.5 + 1.5655 * heart.rv_width) * radius
    front = [-septal_mm * lateral, -septal_mm * lateral + 0.3 * heart.length_mm * apical]
    side = [heart.length_mm * apical, radius * anterior + 0.7 * heart.length_mm * apical]
    inset = chest.fat_mm + chest.muscle_mm
    inner = np.array(chest.half_axes_mm) - inset
    reach = max(float(np.hypot(*((chest.base_xyz_mm + p)[:2] / inner))) for p in front + side)
    wide, deep = (inner * max(1.0, reach) + inset).tolist()
    return replace(chest, half_axes_mm=(wide, deep))


def _draw_scan(rng: np.random.Generator, heart: Heart) -> Scan:
    gap = rng.choice([8.0, 8.0, 9.0, 10.0, 10.0])
    spacing = round(rng.uniform(1.2, 1.8), 4)
    first = rng.uniform(2.0, 8.0)
    # The last slice lies before the apex; one scan in six has one more slice.
    slices = int((heart.length_mm - first - rng.uniform(2.0, 12.0)) // gap) + 1 + int(rng.integers(6) == 0)
    slices = int(np.clip(slices, 6, 12))
    columns = int(rng.choice(_SIZES))
    rows = columns if rng.integers(2) else int(rng.choice([s for s in _SIZES if s <= columns]))
    tilt = rng.normal(0, 3, 2).tolist()
    # The image holds the heart with room to spare: the smallest, 160 pixels of 1.2 mm, is 192 mm wide.
    centre = np.clip(rng.normal(0, 18, 2), -35, 35).tolist()
    breath = rng.normal(0, rng.uniform(0.2, 1.5), (slices, 2))
    return Scan(
        shape_zyx=(slices, rows, columns),
        spacing_zyx_mm=(float(gap), spacing, spacing),
        thickness_mm=float(gap - rng.choice([0.0, 1.0, 2.0])),
        first_mm=first,
        from_apex=bool(rng.random() > _FROM_BASE),
        turn_deg=rng.uniform(0, 360),
        tilt_deg=(tilt[0], tilt[1]),
        centre_mm=(centre[0], centre[1]),
        breath_mm=tuple((dx, dy) for dx, dy in breath.tolist()),
    )


def _draw_contrast(rng: np.random.Generator, slices: int, component: Component | None) -> Contrast:
    drawn: Component = "magnitude" if rng.random() < MAGNITUDE_FRACTION else "psir"
    component = component or drawn
    # Magnitude images null the myocardium; phase-sensitive ones may miss the null, as most of EMIDEC's do. The ranges
    # of blood, scar, core and noise follow EMIDEC's, where scar lies at 0.6 to 1.9 of the way from muscle to blood.
    late, early = rng.uniform(0.08, 0.38), rng.uniform(0.0, 0.08)
    myocardium = early if component == "magnitude" else late
    step = rng.uniform(0.15, 0.32)
    blood, scar = myocardium + step, myocardium + rng.uniform(0.75, 1.7) * step
    moved = rng.random(slices) < _MOVED
    blur = rng.normal(0, 2.0, (slices, 2)) * moved[:, None]
    return Contrast(
        component=component,
        fat=rng.uniform(0.75, 1.15),
        blood=blood,
        myocardium=myocardium,
        scar=scar,
        mvo=myocardium + rng.uniform(0.1, 0.6) * step,
        liver=blood + rng.uniform(-0.15, 0.02),
        muscle=myocardium + rng.uniform(-0.02, 0.12),
        lung=rng.uniform(0.0, 0.06),
        bone=rng.uniform(0.3, 0.6),
        noise=rng.uniform(0.015, 0.065),
        bias=rng.uniform(0.05, 0.3),
        texture=rng.uniform(0.02, 0.08),
        resolution=(rng.uniform(0.6, 0.9), rng.uniform(0.8, 1.0)),
        ghost=tuple((rng.uniform(0.02, 0.08, slices) * (rng.random(slices) < _MOVED)).tolist()),
        blur_mm=tuple((dx, dy) for dx, dy in blur.tolist()),
        gain=rng.uniform(500, 900),
    )
