from pathlib import Path

import numpy as np
import pytest
from hearts import toy_case

from scarnet_cli.errors import GeometryError, InputError
from scarnet_cli.image.volume import Volume, write_nifti
from scarnet_cli.train.cases import Case, read_cases


def write_case(root: Path, case: Case, labels: Volume | None = None) -> None:
    folder = root / case.case_id
    write_nifti(case.image, folder / "Images" / f"{case.case_id}.nii.gz")
    if labels is not None:
        write_nifti(labels, folder / "Contours" / f"{case.case_id}.nii.gz")


def test_cases_are_read_sorted_with_their_labels(tmp_path: Path) -> None:
    for case in (toy_case("Case_P2", scar=True), toy_case("Case_N1", scar=False)):
        write_case(tmp_path, case, case.labels)
    cases = read_cases(tmp_path)
    assert [c.case_id for c in cases] == ["Case_N1", "Case_P2"]
    assert [c.has_scar for c in cases] == [False, True]
    assert np.array_equal(cases[1].labels.array, toy_case("Case_P2", scar=True).labels.array)


def test_an_empty_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EMIDEC's layout"):
        read_cases(tmp_path)


def test_a_case_without_contours_raises(tmp_path: Path) -> None:
    write_case(tmp_path, toy_case("Case_P2", scar=True))
    with pytest.raises(InputError, match=r"Case_P2 lacks Contours/Case_P2\.nii\.gz"):
        read_cases(tmp_path)


def test_contours_on_another_grid_raise(tmp_path: Path) -> None:
    case = toy_case("Case_P2", scar=True)
    write_case(tmp_path, case, toy_case("Case_P2", scar=True, slices=2).labels)
    with pytest.raises(GeometryError, match="different grids"):
        read_cases(tmp_path)


def test_an_unknown_label_raises(tmp_path: Path) -> None:
    case = toy_case("Case_P2", scar=True)
    write_case(tmp_path, case, case.labels.with_array(case.labels.array * 3))
    with pytest.raises(GeometryError, match=r"label values \[6, 9\]"):
        read_cases(tmp_path)
