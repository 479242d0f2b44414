from dataclasses import replace

import pytest
from hearts import toy_case

from scarnet_cli.cases.folds import deal_cases, split_folds
from scarnet_cli.errors import InputError

IDS = [f"case_{i:02d}" for i in range(23)]
SCAR = [i % 3 != 0 for i in range(23)]


def test_every_patient_is_held_out_once() -> None:
    folds = split_folds(IDS, SCAR, 5)
    assert sorted(case for fold in folds for case in fold) == IDS


def test_folds_share_out_cases_with_and_without_scar() -> None:
    scarred = {case for case, scar in zip(IDS, SCAR, strict=True) if scar}
    # 15 with scar and 8 without over 5 folds
    assert [len(scarred & set(fold)) for fold in split_folds(IDS, SCAR, 5)] == [3, 3, 3, 3, 3]


def test_the_split_does_not_depend_on_the_order_of_cases() -> None:
    assert split_folds(IDS[::-1], SCAR[::-1], 5) == split_folds(IDS, SCAR, 5)


def test_more_folds_than_cases_raises() -> None:
    with pytest.raises(ValueError, match="2 cases cannot be split into 5 folds"):
        split_folds(["a", "b"], [True, False], 5)


def test_all_cases_of_a_patient_are_in_one_fold() -> None:
    cases = [replace(toy_case(f"scan_{i}", scar=i % 4 == 0), patient=f"patient_{i // 2}") for i in range(12)]
    folds = deal_cases(cases, 3)
    assert sorted(case for fold in folds for case in fold) == sorted(case.case_id for case in cases)
    patients = [{case.patient_id for case in cases if case.case_id in fold} for fold in folds]
    assert [len(members) for members in patients] == [2, 2, 2]
    # patients 0, 2 and 4 have a scan with scar
    assert [len(members & {"patient_0", "patient_2", "patient_4"}) for members in patients] == [1, 1, 1]


def test_cases_of_one_scan_a_patient_are_dealt_as_before() -> None:
    cases = [toy_case(name, scar=scar) for name, scar in zip(IDS[:7], SCAR[:7], strict=True)]
    assert deal_cases(cases, 3) == split_folds(IDS[:7], SCAR[:7], 3)


def test_fewer_patients_than_folds_raises() -> None:
    cases = [replace(toy_case(f"scan_{i}", scar=True), patient="one") for i in range(4)]
    with pytest.raises(InputError, match=r"1 patient\(s\) cannot be dealt to 2 folds"):
        deal_cases(cases, 2)
