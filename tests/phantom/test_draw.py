import numpy as np

from scarnet_cli.phantom.draw import draw_spec
from scarnet_cli.phantom.make import make_phantom

SEEDS = range(300)


def test_drawn_scans_have_the_sizes_of_real_ones() -> None:
    scans = [draw_spec(seed).scan for seed in SEEDS]
    assert {scan.shape_zyx[0] for scan in scans} <= set(range(6, 13))
    assert all(160 <= n <= 256 for scan in scans for n in scan.shape_zyx[1:])
    assert all(8 <= scan.spacing_zyx_mm[0] <= 10 and 1.2 <= scan.spacing_zyx_mm[1] <= 1.8 for scan in scans)
    assert all(scan.thickness_mm <= scan.spacing_zyx_mm[0] for scan in scans)
    assert {scan.from_apex for scan in scans} == {True, False}


def test_a_third_of_the_hearts_is_healthy_and_a_quarter_of_the_pictures_magnitude() -> None:
    specs = [draw_spec(seed) for seed in SEEDS]
    # Shares of 0.3 and 0.25 in 300 draws: within 4 standard deviations, 0.11 and 0.1.
    assert 0.19 < np.mean([not spec.heart.scars for spec in specs]) < 0.41
    assert 0.15 < np.mean([spec.contrast.component == "magnitude" for spec in specs]) < 0.35


def test_fixing_the_component_leaves_the_anatomy_alone() -> None:
    psir, magnitude = draw_spec(8, "psir"), draw_spec(8, "magnitude")
    assert (psir.heart, psir.chest, psir.scan) == (magnitude.heart, magnitude.chest, magnitude.scan)
    assert (psir.contrast.component, magnitude.contrast.component) == ("psir", "magnitude")


def test_the_heart_lies_inside_the_picture() -> None:
    for seed in range(3):
        labels = make_phantom(seed).labels.array
        rim = np.concatenate([labels[:, :3].ravel(), labels[:, -3:].ravel(), labels[:, :, :3].ravel()])
        assert labels.any()
        assert not rim.any()
