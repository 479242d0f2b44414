import pytest

from scarnet_cli.train.folds import split_folds

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
