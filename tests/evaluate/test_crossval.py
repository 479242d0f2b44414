import numpy as np
import pytest
from hearts import toy_case

from scarnet_cli.evaluate.crossval import SCAR_SHARES, Prediction, choose_decision, score_cases, score_table
from scarnet_cli.evaluate.table import cases_csv, summary_markdown
from scarnet_cli.image.labels import Label


def prediction(name: str, fold: int, *, scar: bool, invented: int) -> Prediction:
    """Return a case segmented as the expert did, with `invented` voxels of myocardium called scar."""
    case = toy_case(name, scar=scar)
    labels = case.labels.array.copy()
    places = np.argwhere(labels == Label.MYOCARDIUM)[:invented]
    labels[tuple(places.T)] = Label.SCAR
    return Prediction(case, fold, dict.fromkeys(SCAR_SHARES, labels), inside_percent=100.0)


def cohort() -> list[Prediction]:
    # The ring has about 440 voxels a slice: 20 invented ones of 1,300 are 1.5 %, the true scar is a quarter.
    return [prediction(f"Case_{i}", i % 2, scar=i < 4, invented=0 if i < 4 else 20) for i in range(8)]


def test_the_decision_drops_what_is_invented_and_keeps_scar() -> None:
    assert 2.0 <= choose_decision(score_table(cohort())).least_scar_percent <= 8.0


def test_each_case_is_scored_under_the_decision_of_the_others() -> None:
    scores = score_cases(cohort())
    assert [s.dice["scar"] for s in scores] == pytest.approx([1.0] * 8)
    assert [s.scar_percent for s in scores[4:]] == [0.0] * 4
    assert scores[0].scar_percent == pytest.approx(scores[0].reference_scar_percent)


def test_the_summary_quotes_the_mean_over_all_cases() -> None:
    scores = score_cases(cohort())
    assert "| all 8 | 1.000 | 1.000 | 1.000 | 1.000 |" in summary_markdown(scores)
    assert len(cases_csv(scores).splitlines()) == 9
