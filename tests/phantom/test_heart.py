import math

import numpy as np
import pytest

from scarnet_cli.image.labels import Label
from scarnet_cli.phantom.heart import LABEL_OF_TISSUE, Tissue, scar_depth, tissue_at, wall_radii_mm
from scarnet_cli.phantom.spec import Heart, Scar

PLAIN = Heart(
    epicardial_radius_mm=30.0,
    wall_mm=10.0,
    length_mm=90.0,
    apical_wall_mm=10.0,
    papillary_mm=(0.0, 0.0),
    trabeculae_mm=0.0,
)


def tissues(heart: Heart, *points: tuple[float, float, float]) -> list[int]:
    return tissue_at(heart, np.array(points, dtype=np.float32).T).tolist()


def test_wall_at_the_mitral_plane_lies_between_both_radii() -> None:
    # lateral (0 degrees): endocardium at 20 mm, epicardium at 30 mm
    found = tissues(PLAIN, (19.9, 0, 0), (20.1, 0, 0), (29.9, 0, 0))
    assert found == [Tissue.BLOOD_POOL, Tissue.MYOCARDIUM, Tissue.MYOCARDIUM]


def test_radii_follow_the_ellipsoid_to_the_apex() -> None:
    # 54 mm of 90: sqrt(1 - 0.36) = 0.8; 48 mm of the cavity's 80: 0.8 as well
    places = np.array([54.0, 48.0, 85.0])
    endocardium, epicardium = wall_radii_mm(PLAIN, places, np.zeros(3))
    assert epicardium[0] == pytest.approx(30 * 0.8)
    assert endocardium[1] == pytest.approx(20 * 0.8)
    assert endocardium[2] == 0
    assert epicardium[2] > 0


def test_beyond_the_cavity_there_is_only_muscle_on_the_axis() -> None:
    assert tissues(PLAIN, (0, 0, 79), (0, 0, 81), (0, 0, 91)) == [Tissue.BLOOD_POOL, Tissue.MYOCARDIUM, Tissue.OUTSIDE]


def test_right_ventricle_lies_towards_the_septum_and_meets_the_wall_at_sixty_degrees() -> None:
    beside = [(-45.0, 0.0, 20.0), (45.0, 0.0, 20.0)]
    assert tissues(Heart(fat_mm=0.0), *beside) == [Tissue.OTHER_BLOOD, Tissue.OUTSIDE]
    # Just outside of the left ventricle (radius 34 sqrt(1 - (20 / 90)^2) = 33.15 mm): inside of the right one at 50
    # degrees from the septum, not at 70 degrees.
    near = [(-33.5 * math.cos(t), 33.5 * math.sin(t), 20.0) for t in (math.radians(50), math.radians(70))]
    inside, outside = tissues(Heart(fat_mm=0.0, rv_wall_mm=0.0), *near)
    assert (inside, outside) == (Tissue.OTHER_BLOOD, Tissue.OUTSIDE)


def test_scar_takes_the_inner_half_of_the_wall_where_it_is_half_transmural() -> None:
    scar = Scar(90.0, 60.0, 0.0, 60.0, 0.5, roundness=math.inf)
    heart = Heart(30.0, 10.0, 90.0, 10.0, papillary_mm=(0, 0), trabeculae_mm=0.0, scars=(scar,))
    # Anterior, near the mitral plane: endocardium at 20 mm, half of the wall at 25 mm.
    found = tissues(heart, (0, 19, 1), (0, 21, 1), (0, 24, 1), (0, 26, 1))
    assert found == [Tissue.BLOOD_POOL, Tissue.SCAR, Tissue.SCAR, Tissue.MYOCARDIUM]


def test_scar_ends_at_half_of_its_width_on_either_side_and_across_zero_degrees() -> None:
    scar = Scar(350.0, 40.0, 0.0, 60.0, 1.0, roundness=math.inf)
    angles = np.deg2rad([331.0, 329.0, 9.0, 11.0])
    assert scar_depth(scar, np.full(4, 10.0), angles).tolist() == [1.0, 0.0, 1.0, 0.0]


def test_round_scar_is_an_ellipse_in_depth() -> None:
    scar = Scar(0.0, 100.0, 0.0, 60.0, 0.8, roundness=2.0)
    # At 0.6 of its half-width the depth is 0.8 sqrt(1 - 0.36) = 0.64.
    depth = scar_depth(scar, np.array([30.0]), np.array([math.radians(30.0)]))
    assert depth[0] == pytest.approx(0.64)


def test_mvo_lies_inside_the_scar_and_clear_of_the_endocardium() -> None:
    scar = Scar(90.0, 120.0, 0.0, 60.0, 1.0, roundness=math.inf, mvo_fraction=0.5)
    heart = Heart(30.0, 10.0, 90.0, 10.0, papillary_mm=(0, 0), trabeculae_mm=0.0, scars=(scar,))
    # The core is in the middle of the infarct (30 mm, half depth); radii there are 0.9428 x 30 and 0.927 x 20.
    middle = (0.9428 * 30 + 0.927 * 20) / 2
    found = tissues(heart, (0, middle, 30), (0, 0.927 * 20 + 0.5, 30), (0, middle, 5))
    assert found == [Tissue.MVO, Tissue.SCAR, Tissue.SCAR]


def test_papillary_muscles_count_as_blood_pool() -> None:
    heart = Heart(trabeculae_mm=0.0)
    found = tissue_at(heart, np.mgrid[-20:20, -20:20, 40:41].astype(np.float32))
    assert (found == Tissue.PAPILLARY).sum() > 20
    assert LABEL_OF_TISSUE[Tissue.PAPILLARY] == Label.BLOOD_POOL
