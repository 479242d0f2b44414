"""What a phantom is made of: every number that decides a phantom's anatomy, scan and contrast.

Heart frame: millimetres from the centre of the mitral plane; axes lateral, anterior, apical (right-handed). Angles run
round the left ventricle from lateral (0) over anterior (90) and septal (180) to inferior (270 degrees), so that the AHA
segments 6, 1, 2, 3, 4, 5 start at 0, 60, ... 300 degrees. Signals are signed, air at 0 and fat near 1.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Component: TypeAlias = Literal["psir", "magnitude"]


@dataclass(frozen=True, slots=True)
class Scar:
    """One infarct that starts at the endocardium.

    Attributes:
        centre_deg: Middle of the infarct round the ventricle.
        width_deg: Full angular width.
        from_mm: Where it starts, in mm from the mitral plane towards the apex.
        to_mm: Where it ends.
        transmurality_fraction: Part of the wall that is scar in the infarct's middle, 0 to 1.
        roundness: Exponent of the superellipse by which depth falls to 0 at the edges: 2 is an ellipse; infinity a box.
        mvo_fraction: Size of the microvascular obstruction in the infarct's middle as a part of each of the infarct's
            extents, 0 for none.
    """

    centre_deg: float
    width_deg: float
    from_mm: float
    to_mm: float
    transmurality_fraction: float
    roundness: float = 3.0
    mvo_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Heart:
    """The ventricles: half-ellipsoids that share an axis, cut at the mitral plane.

    Attributes:
        epicardial_radius_mm: Largest outer radius of the left ventricle.
        wall_mm: Thickness of its wall at the base.
        length_mm: Mitral plane to epicardial apex.
        apical_wall_mm: Thickness at the apex.
        ovality: Amplitudes of the second and third harmonic of the outline, parts of the radius.
        ovality_phase_deg: Their phases.
        papillary_mm: Radii of the anterolateral and the posteromedial papillary muscle; 0 for none.
        trabeculae_mm: Height of the ridges on the endocardium; like papillary muscles they count as blood pool.
        rv_width: Half-width of the right ventricle as a part of `epicardial_radius_mm`.
        rv_wall_mm: Thickness of its free wall.
        fat_mm: Mean thickness of the epicardial fat.
        fat_side_deg: Angle at which this fat is thickest.
        scars: The infarcts; none for a healthy heart.
    """

    epicardial_radius_mm: float = 34.0
    wall_mm: float = 10.0
    length_mm: float = 90.0
    apical_wall_mm: float = 7.0
    ovality: tuple[float, float] = (0.0, 0.0)
    ovality_phase_deg: tuple[float, float] = (0.0, 0.0)
    papillary_mm: tuple[float, float] = (4.5, 4.5)
    trabeculae_mm: float = 1.0
    rv_width: float = 0.95
    rv_wall_mm: float = 3.0
    fat_mm: float = 3.0
    fat_side_deg: float = 200.0
    scars: tuple[Scar, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """The stack of slices: where it lies and what goes wrong while it is acquired.

    Attributes:
        shape_zyx: Slices, rows, columns.
        spacing_zyx_mm: Slice centre to slice centre, row to row, column to column.
        thickness_mm: Thickness of a slice, at most the slice spacing.
        first_mm: Place of the most basal slice, in mm from the mitral plane towards the apex.
        from_apex: Slices run from apex to base (seen from the feet, the usual way); else from base to apex.
        turn_deg: Turn of the picture in its plane; 0 has lateral to the right and inferior below.
        tilt_deg: Tilt of the slices against the ventricle's axis, about the lateral and the anterior axis.
        centre_mm: Offset of the picture's centre from the ventricle's axis, along x and y of the picture.
        breath_mm: In-plane shift (x, y) of the body in each slice.
    """

    shape_zyx: tuple[int, int, int] = (10, 192, 192)
    spacing_zyx_mm: tuple[float, float, float] = (9.0, 1.5, 1.5)
    thickness_mm: float = 8.0
    first_mm: float = 4.0
    from_apex: bool = True
    turn_deg: float = 0.0
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    centre_mm: tuple[float, float] = (0.0, 0.0)
    breath_mm: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Chest:
    """The body round the heart, in LPS mm; its origin is the middle of the chest at the mitral plane's height.

    Attributes:
        half_axes_mm: Half of the chest's width and depth.
        fat_mm: Thickness of the fat under the skin.
        muscle_mm: Thickness of the chest wall inside of the fat.
        base_xyz_mm: Centre of the mitral plane.
        axis_xyz: Direction of the left ventricle from base to apex, a unit vector.
        diaphragm_mm: Height of the diaphragm's dome over the origin (negative: below).
        stomach_air: The stomach is filled with air rather than with food.
    """

    half_axes_mm: tuple[float, float] = (165.0, 110.0)
    fat_mm: float = 16.0
    muscle_mm: float = 10.0
    base_xyz_mm: tuple[float, float, float] = (26.0, -22.0, 12.0)
    axis_xyz: tuple[float, float, float] = (0.70, -0.55, -0.4555)
    diaphragm_mm: float = -38.0
    stomach_air: bool = True


@dataclass(frozen=True, slots=True)
class Contrast:
    """Signals of the tissues and quality of the picture. Signals are signed; air is 0.

    Attributes:
        noise: SD of the noise in each of the real and imaginary channels.
        bias: Amplitude of the smooth coil shading, part of the signal.
        texture: SD of the tissues' own unevenness, part of the signal.
        resolution: Acquired part of k-space in the phase and read direction; the rest is filled with zeros.
        ghost: Amplitude of motion ghosts per slice.
        blur_mm: Motion blur (x, y) per slice.
        gain: Pixel value of signal 1.
    """

    component: Component = "psir"
    fat: float = 1.0
    blood: float = 0.38
    myocardium: float = 0.15
    scar: float = 0.42
    mvo: float = 0.26
    liver: float = 0.30
    muscle: float = 0.22
    lung: float = 0.03
    bone: float = 0.45
    noise: float = 0.035
    bias: float = 0.15
    texture: float = 0.05
    resolution: tuple[float, float] = (0.75, 1.0)
    ghost: tuple[float, ...] = ()
    blur_mm: tuple[tuple[float, float], ...] = ()
    gain: float = 900.0


@dataclass(frozen=True, slots=True)
class PhantomSpec:
    """Everything that decides a phantom; `seed` decides noise and texture."""

    seed: int = 0
    heart: Heart = Heart()
    chest: Chest = Chest()
    scan: Scan = Scan()
    contrast: Contrast = Contrast()


def heart_axes(chest: Chest) -> NDArray[np.float64]:
    """Return (3, 3): columns are the LPS unit vectors lateral, anterior and apical of the heart frame.

    Anterior is what of the patient's upward direction is perpendicular to the ventricle's axis: the middle of the AHA
    segments 1 and 7.
    """
    apical = np.array(chest.axis_xyz) / np.linalg.norm(chest.axis_xyz)
    up = np.array([0.0, 0.0, 1.0])
    anterior = up - (up @ apical) * apical
    anterior /= np.linalg.norm(anterior)
    return np.stack([np.cross(anterior, apical), anterior, apical], axis=1)
