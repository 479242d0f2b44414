"""The numbers that define a phantom: anatomy, scan and contrast.

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
        centre_deg: Angle of the infarct's middle.
        width_deg: Full angular width.
        from_mm: Distance of the basal end from the mitral plane, towards the apex.
        to_mm: Distance of the apical end from the mitral plane.
        transmurality_fraction: Fraction of the wall that is scar in the infarct's middle; above 1, the infarct is
            transmural over a wider area.
        roundness: Exponent of the superellipse by which depth falls to 0 at the edges: 2 is an ellipse; infinity a box.
        mvo_fraction: Size of the microvascular obstruction in the infarct's middle, as a fraction of the infarct's
            extent in each direction; 0 for none.
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
        length_mm: Distance from mitral plane to epicardial apex.
        apical_wall_mm: Thickness of the wall at the apex.
        ovality: Amplitudes of the second and third harmonic of the outline, as fractions of the radius.
        ovality_phase_deg: Their phases.
        papillary_mm: Radii of the anterolateral and the posteromedial papillary muscle; 0 for none.
        trabeculae_mm: Height of the ridges on the endocardium; like papillary muscles they count as blood pool.
        rv_width: Half-width of the right ventricle as a fraction of `epicardial_radius_mm`.
        rv_wall_mm: Thickness of its free wall.
        fat_mm: Mean thickness of the epicardial fat.
        fat_side_deg: Angle at which this fat is thickest.
        scars: The infarcts; empty for a healthy heart.
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
    """The stack of slices: its geometry, and the motion between slices.

    Attributes:
        shape_zyx: Slices, rows, columns.
        spacing_zyx_mm: Slice centre to slice centre, row to row, column to column.
        thickness_mm: Thickness of a slice, at most the slice spacing.
        first_mm: Distance of the most basal slice from the mitral plane, towards the apex.
        from_apex: True if slices run from apex to base (seen from the feet, the usual order); else from base to apex.
        turn_deg: In-plane rotation of the image; at 0, lateral is to the right and inferior is below.
        tilt_deg: Tilt of the slices against the ventricle's axis, about the lateral and the anterior axis.
        centre_mm: Offset of the image's centre from the ventricle's axis, along x and y of the image.
        breath_mm: In-plane shift (x, y) of the body in each slice; empty for none.
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
    """The body round the heart, in LPS mm, with the origin in the middle of the chest.

    Attributes:
        half_axes_mm: Half of the chest's width and depth.
        fat_mm: Thickness of the fat under the skin.
        muscle_mm: Thickness of the chest wall inside the fat.
        base_xyz_mm: Centre of the mitral plane.
        axis_xyz: Direction of the left ventricle from base to apex, a unit vector.
        diaphragm_mm: Height of the diaphragm's dome above the origin (negative: below).
        stomach_air: True if the stomach is filled with air, False if with food.
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
    """Signals of the tissues and quality of the image. Signals are signed; air is 0.

    Attributes:
        noise: SD of the noise in each of the real and imaginary channels.
        bias: Amplitude of the smooth coil shading, as a fraction of the signal.
        texture: SD of the variation within tissues, as a fraction of the signal.
        resolution: Acquired fraction of k-space in the phase and read direction; the rest is filled with zeros.
        ghost: Amplitude of motion ghosts in each slice; empty for none.
        blur_mm: Motion blur (x, y) in each slice; empty for none.
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
    """The complete definition of a phantom; `make_phantom` draws noise and texture from its argument `seed`."""

    seed: int = 0
    heart: Heart = Heart()
    chest: Chest = Chest()
    scan: Scan = Scan()
    contrast: Contrast = Contrast()


def heart_axes(chest: Chest) -> NDArray[np.float64]:
    """Return a (3, 3) matrix whose columns are the heart frame's LPS unit vectors lateral, anterior and apical.

    Anterior is the component of the patient's upward direction perpendicular to the ventricle's axis; it points to the
    middle of the AHA segments 1 and 7.
    """
    apical = np.array(chest.axis_xyz) / np.linalg.norm(chest.axis_xyz)
    up = np.array([0.0, 0.0, 1.0])
    anterior = up - (up @ apical) * apical
    anterior /= np.linalg.norm(anterior)
    return np.stack([np.cross(anterior, apical), anterior, apical], axis=1)
