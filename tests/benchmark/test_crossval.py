from dataclasses import replace

import numpy as np
import pytest
from hearts import toy_case

from scarnet_cli.benchmark.crossval import (
    CaseScore,
    Prediction,
    choose_decision,
    predict,
    score_case,
    score_cases,
    score_table,
)
from scarnet_cli.benchmark.systems import FINAL_SHARE, SCAR_SHARES, Proposal
from scarnet_cli.benchmark.table import cases_csv, summary_markdown
from scarnet_cli.cases.cases import Case
from scarnet_cli.image.labels import Label
from scarnet_cli.infer.decision import Decision, ExpectedLesions, scar_percent


def prediction(name: str, fold: int, *, scar: bool, invented: int) -> Prediction:
    """Return a case segmented as the expert did, with `invented` voxels of myocardium called scar."""
    case = toy_case(name, scar=scar)
    labels = case.labels.array.copy()
    places = np.argwhere(labels == Label.MYOCARDIUM)[:invented]
    labels[tuple(places.T)] = Label.SCAR
    expected = ExpectedLesions(scar_percent(labels), 0.0)
    return Prediction(case, fold, dict.fromkeys(SCAR_SHARES, labels), inside_percent=100.0, expected=expected)


def cohort() -> list[Prediction]:
    # The ring has about 440 voxels a slice: 20 invented ones of 1,300 are 1.5 %, the true scar is a quarter.
    return [prediction(f"Case_{i}", i % 2, scar=i < 4, invented=0 if i < 4 else 20) for i in range(8)]


def scored(predictions: list[Prediction]) -> list[CaseScore]:
    return score_cases(predictions, score_table(predictions))


def test_the_decision_drops_what_is_invented_and_keeps_scar() -> None:
    table = score_table(cohort())
    assert table is not None
    assert 2.0 <= choose_decision(table).least_expected_scar_percent <= 8.0


def test_an_infarct_is_not_given_up_for_a_normal_heart_without_scar() -> None:
    # A faint infarct that lets expect as little as what is invented in one normal heart.
    faint = prediction("Case_9", 0, scar=True, invented=0)
    faint = replace(faint, expected=ExpectedLesions(1.6, 0.0))
    table = score_table([*cohort()[:5], faint])
    assert table is not None
    assert choose_decision(table).least_expected_scar_percent <= 1.5


def test_mvo_that_is_hardly_expected_counts_as_scar() -> None:
    case = toy_case("Case_1", scar=True)
    labels = case.labels.array.copy()
    labels[tuple(np.argwhere(labels == Label.SCAR)[:30].T)] = Label.MVO
    found = Prediction(case, 0, {0.5: labels}, None, ExpectedLesions(25.0, 0.4))
    assert (found.decided(Decision(least_expected_mvo_percent=0.4)) == labels).all()
    assert (found.decided(Decision(least_expected_mvo_percent=0.5)) == case.labels.array).all()


def test_each_case_is_scored_under_the_decision_of_the_others() -> None:
    scores = scored(cohort())
    assert [s.regions["scar"].dice for s in scores] == pytest.approx([1.0] * 8)
    assert [s.scar_percent for s in scores[4:]] == [0.0] * 4
    assert scores[0].scar_percent == pytest.approx(scores[0].reference_scar_percent)


def test_the_summary_quotes_the_mean_over_all_cases() -> None:
    scores = scored(cohort())
    assert "| all 8 | 1.000 | 1.000 | 1.000 | 1.000 |" in summary_markdown(scores)
    assert len(cases_csv(scores).splitlines()) == 9


def test_volumes_and_distances_are_those_of_the_cases_own_grid() -> None:
    found = score_case(prediction("Case_1", 0, scar=False, invented=20), Decision())
    scar, myocardium = found.regions["scar"], found.regions["myocardium"]
    # 20 voxels x (10.0 x 1.6 x 1.2) mm3 = 384 mm3
    assert (scar.volume_ml, scar.reference_volume_ml) == (pytest.approx(0.384), 0.0)
    assert (scar.dice, scar.distance.hd95_mm) == (0.0, None)
    assert (myocardium.dice, myocardium.distance.hausdorff_mm) == (1.0, 0.0)


class SameAsExpert:
    """A system without a threshold."""

    def segment(self, case: Case) -> Proposal:
        return Proposal({FINAL_SHARE: case.labels.array})


def test_nothing_is_chosen_for_a_system_that_gives_one_label_map() -> None:
    cases = [toy_case(f"Case_{i}", scar=i == 0) for i in range(3)]
    scores = scored(list(predict(SameAsExpert(), cases, fold=1)))
    assert {score.decision for score in scores} == {Decision(0.5, 0.0)}
    assert [score.fold for score in scores] == [1, 1, 1]
    assert "The crop holds" not in summary_markdown(scores)


def test_a_single_case_is_scored_under_the_default_decision() -> None:
    (score,) = scored([prediction("Case_1", 0, scar=True, invented=0)])
    assert score.decision == Decision()
