from pathlib import Path

import numpy as np
import pytest
from hearts import toy_case

from scarnet_cli.benchmark.crossval import Prediction
from scarnet_cli.benchmark.predictions import Evaluation, merge_folds, read_evaluation, write_evaluation
from scarnet_cli.benchmark.systems import FINAL_SHARE
from scarnet_cli.errors import InputError
from scarnet_cli.infer.evidence import Evidence

CASES = {f"Case_{i}": toy_case(f"Case_{i}", scar=i % 2 == 0) for i in range(4)}


def prediction(name: str, fold: int, inside: float | None = 99.5) -> Prediction:
    labels = CASES[name].labels.array
    evidence = Evidence(12.5, 3.0, 0.5, 0.9, 0.7) if inside else None
    return Prediction(CASES[name], fold, {0.3: labels, FINAL_SHARE: np.zeros_like(labels)}, inside, evidence)


def evaluation(model: str, *dealt: tuple[str, int]) -> Evaluation:
    return Evaluation(model, 2, tuple(prediction(name, fold) for name, fold in dealt))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = Evaluation("unet", 2, (prediction("Case_0", 0), prediction("Case_1", 1, inside=None)))
    write_evaluation(written, tmp_path)
    found = read_evaluation(tmp_path, CASES)
    assert (found.model, found.folds) == ("unet", 2)
    for ours, theirs in zip(found.predictions, written.predictions, strict=True):
        assert (ours.case, ours.fold, ours.inside_percent) == (theirs.case, theirs.fold, theirs.inside_percent)
        assert ours.evidence == theirs.evidence
        assert list(ours.labels) == [0.3, FINAL_SHARE]
        np.testing.assert_array_equal(ours.labels[0.3], theirs.labels[0.3])
        assert not ours.labels[FINAL_SHARE].any()


def test_a_folder_without_evaluation_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no evaluation\.json"):
        read_evaluation(tmp_path, CASES)


def test_an_evaluation_of_an_earlier_version_raises(tmp_path: Path) -> None:
    write_evaluation(evaluation("unet", ("Case_0", 0)), tmp_path)
    path = tmp_path / "predictions" / "Case_0.npz"
    with np.load(path) as stored:
        np.savez(path, **{name: stored[name] for name in stored.files if name != "evidence"})
    with pytest.raises(InputError, match=r"Case_0\.npz was written by an earlier version; evaluate Case_0 again"):
        read_evaluation(tmp_path, CASES)


def test_an_evaluation_of_other_cases_raises(tmp_path: Path) -> None:
    write_evaluation(evaluation("unet", ("Case_0", 0), ("Case_1", 0)), tmp_path)
    with pytest.raises(InputError, match="holds Case_1, not among the cases"):
        read_evaluation(tmp_path, {"Case_0": CASES["Case_0"]})


def test_a_case_that_changed_its_size_raises(tmp_path: Path) -> None:
    write_evaluation(evaluation("unet", ("Case_0", 0)), tmp_path)
    with pytest.raises(InputError, match=r"Case_0: predicted \(3, 90, 120\), the case has \(4, 90, 120\)"):
        read_evaluation(tmp_path, {"Case_0": toy_case("Case_0", scar=True, slices=4)})


def test_folds_of_a_model_are_joined_in_the_order_of_cases() -> None:
    second, first = evaluation("unet", ("Case_3", 1), ("Case_1", 1)), evaluation("unet", ("Case_0", 0), ("Case_2", 0))
    (joined,) = merge_folds([second, first])
    assert [p.case.case_id for p in joined.predictions] == ["Case_0", "Case_1", "Case_2", "Case_3"]


def test_a_case_twice_raises() -> None:
    with pytest.raises(InputError, match="unet was evaluated twice on Case_0"):
        merge_folds([evaluation("unet", ("Case_0", 0)), evaluation("unet", ("Case_0", 0), ("Case_1", 0))])


@pytest.mark.parametrize("other", [(("Case_0", 0),), (("Case_0", 1), ("Case_1", 0))])
def test_models_of_other_cases_or_folds_are_not_compared(other: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(InputError, match="unet and medsam were not evaluated on the same cases and folds"):
        merge_folds([evaluation("unet", ("Case_0", 0), ("Case_1", 1)), evaluation("medsam", *other)])
