from dataclasses import replace

import numpy as np
import pytest
from hearts import toy_case

from scarnet_cli.benchmark.calibration import conformal_multiple, fit_scar_probability
from scarnet_cli.benchmark.certainty import certainty_markdown
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
from scarnet_cli.infer.decision import Decision, scar_percent
from scarnet_cli.infer.evidence import Evidence


def prediction(name: str, fold: int, *, scar: bool, invented: int) -> Prediction:
    """Return a case segmented as the expert did, with `invented` voxels of myocardium called scar."""
    case = toy_case(name, scar=scar)
    labels = case.labels.array.copy()
    places = np.argwhere(labels == Label.MYOCARDIUM)[:invented]
    labels[tuple(places.T)] = Label.SCAR
    evidence = Evidence(scar_percent(labels), scar_doubt_percent=1.0, mvo_doubt_percent=0.25)
    return Prediction(case, fold, dict.fromkeys(SCAR_SHARES, labels), inside_percent=100.0, evidence=evidence)


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
    faint = replace(faint, evidence=Evidence(1.6))
    table = score_table([*cohort()[:5], faint])
    assert table is not None
    assert choose_decision(table).least_expected_scar_percent <= 1.5


def test_mvo_is_chosen_apart_from_scar() -> None:
    # Pieces of 3 voxels, 0.2 % of the myocardium, where there is no MVO; and one of 30, 2 %, where there is.
    predictions: list[Prediction] = []
    for number in range(6):
        found = prediction(f"Case_{number}", number % 2, scar=True, invented=0)
        labels = found.labels[0.5].copy()
        labels[tuple(np.argwhere(labels == Label.SCAR)[: 30 if number < 3 else 3].T)] = Label.MVO
        true = found.case.labels.with_array(labels) if number < 3 else found.case.labels
        case = replace(found.case, labels=true)
        predictions.append(replace(found, case=case, labels=dict.fromkeys(SCAR_SHARES, labels)))
    scores = scored(predictions)
    assert [score.regions["mvo"].dice for score in scores] == [1.0] * 6
    assert {score.mvo_percent > 0 for score in scores[:3]} == {True}
    assert [score.mvo_percent for score in scores[3:]] == [0.0] * 3


def test_the_decision_is_calibrated_on_the_cases() -> None:
    cases = [prediction(f"Case_{i:02}", i % 2, scar=i < 12, invented=0) for i in range(16)]
    # Six voxels too many: an error of about half a percent, and a doubt of one.
    for row, found in enumerate(cases[:12]):
        labels = found.labels[0.5].copy()
        labels[tuple(np.argwhere(labels == Label.MYOCARDIUM)[:6].T)] = Label.SCAR
        cases[row] = replace(found, labels=dict.fromkeys(SCAR_SHARES, labels))
    table = score_table(cases)
    assert table is not None
    decision = choose_decision(table)
    assert decision.scar_margin == pytest.approx(100 * 6 / np.isin(cases[0].labels[0.5], (2, 3)).sum())
    assert decision.scar_ml_margin == pytest.approx(decision.scar_margin)
    assert decision.mvo_margin == 0.0
    assert decision.scar_probability(0.0) == pytest.approx(0.0, abs=0.05)
    assert decision.scar_probability(25.0) == pytest.approx(1.0, abs=0.05)
    text = certainty_markdown(score_cases(cases, table))
    assert "Hearts with scar found, by true size: 12 of 12 (over 10 %)." in text
    assert "| scar percent | 100.0 % | 100.0 % | 100.0 % |" in text


def test_a_network_that_is_sure_of_what_is_wrong_has_no_margin() -> None:
    errors, doubts = np.full(20, 5.0), np.full(20, 2.0)
    assert conformal_multiple(errors, doubts) == 2.5
    assert conformal_multiple(errors, np.zeros(20)) is None
    assert conformal_multiple(errors[:8], doubts[:8]) is None


def test_few_cases_leave_the_margins_open() -> None:
    table = score_table(cohort())
    assert table is not None
    assert choose_decision(table).scar_margin is None
    assert certainty_markdown(score_cases(cohort(), table)) == ""


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


def test_expected_scar_that_is_less_where_scar_is_gives_no_probability() -> None:
    has_scar = np.array([True, True, False, False])
    even, slope = fit_scar_probability(np.array([8.0, 4.0, 1.0, 0.5]), has_scar) or (None, None)
    assert even == pytest.approx(2.0, rel=0.01)  # the logarithms lie symmetrically about that of 2
    assert slope is not None
    assert slope > 1
    assert fit_scar_probability(np.array([0.5, 1.0, 4.0, 8.0]), has_scar) is None
