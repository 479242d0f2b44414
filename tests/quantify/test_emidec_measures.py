"""Measures of real hearts from the experts' own contours; needs the EMIDEC cases."""

from pathlib import Path

import numpy as np
import pytest

from scarnet_cli.image.volume import read_nifti
from scarnet_cli.quantify.measures import measure_study


def test_scar_percent_of_experts_contours_is_pixel_counting(emidec_dir: Path) -> None:
    cases = sorted(path.parent for path in emidec_dir.glob("Case_*/Images"))
    for case in cases:
        labels = read_nifti(case / "Contours" / f"{case.name}.nii.gz")
        scan = measure_study(read_nifti(case / "Images" / f"{case.name}.nii.gz"), labels).scan
        counts = np.bincount(labels.array.astype(np.uint8).ravel(), minlength=5)
        myocardium = counts[2] + counts[3] + counts[4]
        assert scan.scar_percent_lv == pytest.approx(100 * (counts[3] + counts[4]) / myocardium, rel=1e-12)
        assert scan.mvo_percent_lv == pytest.approx(100 * counts[4] / myocardium, rel=1e-12)
        # 1.4 x 1.4 x 10 mm in every file of the data set
        assert scan.myocardium_ml == pytest.approx(myocardium * 0.0196, rel=1e-5)


def test_full_width_at_half_maximum_is_near_the_experts_scar(emidec_dir: Path) -> None:
    """Half of the cases lie within 4 points of the experts' scar (their median over all cases is 2)."""
    differences = []
    for case in sorted(emidec_dir.glob("Case_P*"))[::6]:
        image, labels = (read_nifti(case / part / f"{case.name}.nii.gz") for part in ("Images", "Contours"))
        scan = measure_study(image, labels).scan
        assert scan.thresholds.scar_fwhm_percent is not None
        assert scan.scar_percent_lv is not None
        differences.append(abs(scan.thresholds.scar_fwhm_percent - scan.scar_percent_lv))
    assert np.median(differences) < 4
