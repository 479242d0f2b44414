from pathlib import Path

import numpy as np
import pytest
from hearts import toy_case, write_emidec_case

from scarnet_cli.cases.cases import Case, read_cases
from scarnet_cli.cases.label_values import read_label_values
from scarnet_cli.errors import InputError
from scarnet_cli.image.volume import write_nifti


def test_cases_are_read_sorted_with_their_labels(tmp_path: Path) -> None:
    for case in (toy_case("Case_P2", scar=True), toy_case("Case_N1", scar=False)):
        write_emidec_case(case, tmp_path, case.labels)
    cases = read_cases(tmp_path)
    assert [c.case_id for c in cases] == ["Case_N1", "Case_P2"]
    assert [c.has_scar for c in cases] == [False, True]
    assert np.array_equal(cases[1].labels.array, toy_case("Case_P2", scar=True).labels.array)


def write_sheet(root: Path, *rows: str) -> Path:
    """Write two cases as plain files, and a table of them."""
    for name, scar in (("a", True), ("b", False)):
        case = toy_case(name, scar=scar)
        write_nifti(case.image, root / f"{name}.nii.gz")
        write_nifti(case.labels.with_array(case.labels.array.astype(np.int16) * 100), root / f"{name}_seg.nii.gz")
    write_nifti(toy_case("c", scar=False, slices=2).image, root / "short.nii.gz")
    path = root / "cases.csv"
    path.write_text("\n".join(["case,image,labels,patient", *rows, ""]))
    return path


def write_values(root: Path, *rows: str) -> Path:
    path = root / "values.csv"
    path.write_text("\n".join(["value,label", *rows, ""]))
    return path


def test_a_table_of_cases_with_other_label_values_gives_the_same_labels(tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path, "visit2,b.nii.gz,b_seg.nii.gz,Q", "visit1,a.nii.gz,a_seg.nii.gz,Q")
    values = read_label_values(write_values(tmp_path, "100,blood_pool", "200,myocardium", "300,scar", "7,mvo"))
    first, second = read_cases(sheet, values)
    assert (first.case_id, second.case_id, first.patient_id, second.patient_id) == ("visit1", "visit2", "Q", "Q")
    np.testing.assert_array_equal(first.labels.array, toy_case("a", scar=True).labels.array)
    assert first.labels.array.dtype == np.uint8


def test_several_values_may_have_one_label(tmp_path: Path) -> None:
    values = read_label_values(write_values(tmp_path, "100,blood_pool", "200,background", "300,blood_pool"))
    (case,) = read_cases(write_sheet(tmp_path, "a,a.nii.gz,a_seg.nii.gz,"), values)
    assert set(np.unique(case.labels.array)) == {0, 1}
    assert case.patient_id == "a"


def test_every_wrong_row_is_listed_at_once(tmp_path: Path) -> None:
    rows = (
        "a b,a.nii.gz,gone.nii.gz,",
        "b,short.nii.gz,b_seg.nii.gz,",
        "c,cases.csv,b_seg.nii.gz,",
        "d,a.nii.gz,a_seg.nii.gz,",
        "e,a.nii.gz,a.nii.gz",
    )
    values = read_label_values(write_values(tmp_path, "100,blood_pool", "200,myocardium", "300,scar"))
    with pytest.raises(InputError) as raised:
        read_cases(write_sheet(tmp_path, *rows), values)
    first, *lines = str(raised.value).splitlines()
    assert first == "4 of the samplesheet's 5 rows are wrong:"
    assert "line 2: case is not a valid name" in lines[0]
    assert "; labels 'gone.nii.gz' is not a file" in lines[0]
    assert "line 3: b: Image and labels differ: the image has 120 x 90 x 2 voxels" in lines[1]
    assert "the labels 120 x 90 x 3 voxels" in lines[1]
    assert "line 4: cases.csv is not a NIfTI image" in lines[2]
    assert "line 6: e: label values" in lines[3]


def test_a_case_has_another_digest_when_a_voxel_changes() -> None:
    case = toy_case("Case_P2", scar=True)
    changed = case.labels.array.copy()
    changed[0, 0, 0] = 4
    other = Case(case.case_id, case.image, case.labels.with_array(changed))
    assert case.sha256 == toy_case("Case_P2", scar=True).sha256
    assert case.sha256 != other.sha256


def test_an_empty_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EMIDEC's layout"):
        read_cases(tmp_path)


def test_all_wrong_cases_of_a_folder_are_listed_at_once(tmp_path: Path) -> None:
    case = toy_case("Case_P2", scar=True)
    write_emidec_case(toy_case("Case_P1", scar=True), tmp_path, None)
    write_emidec_case(case, tmp_path, toy_case("Case_P2", scar=True, slices=2).labels)
    write_emidec_case(toy_case("Case_P3", scar=True), tmp_path, case.labels.with_array(case.labels.array * 3))
    write_emidec_case(toy_case("Case_P4", scar=True), tmp_path, case.labels)
    with pytest.raises(InputError) as raised:
        read_cases(tmp_path)
    first, *lines = str(raised.value).splitlines()
    assert first == "3 of the folder's 4 cases are wrong:"
    assert "Case_P1 lacks Contours/Case_P1.nii.gz" in lines[0]
    assert "Case_P2: Image and labels differ: the image has 120 x 90 x 3 voxels" in lines[1]
    assert "the labels 120 x 90 x 2 voxels" in lines[1]
    assert "Case_P3: label values [6, 9] are not among [0, 1, 2, 3, 4]" in lines[2]
