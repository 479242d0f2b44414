from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hearts import toy_case
from numpy.typing import NDArray

from scarnet_cli.benchmark.disturbances import DISTURBANCES, NOISE, NOISE_PERCENT
from scarnet_cli.benchmark.robustness import UNDISTURBED, Trial, decided, trials, try_case
from scarnet_cli.benchmark.robustness_page import levels, lost_percent, noise_cov, robustness_markdown, write_robustness
from scarnet_cli.benchmark.systems import LabelMaps, PromptedNetwork
from scarnet_cli.errors import InputError
from scarnet_cli.infer.decision import Decision
from scarnet_cli.model.medsam import Box
from scarnet_cli.tables.benchmark import RobustnessRow
from scarnet_cli.tables.parquet import read_rows


def fill(picture: NDArray[np.float32], boxes: Sequence[Box]) -> list[NDArray[np.bool_]]:
    """Call everything in a box found."""
    masks = np.zeros((len(boxes), *picture.shape), bool)
    for mask, (top, bottom, left, right) in zip(masks, boxes, strict=True):
        mask[top : bottom + 1, left : right + 1] = True
    return list(masks)


def row(
    case_id: str, trial: Trial, *, dice: float = 0.8, percent: float = 10.0, has_scar: bool = True
) -> RobustnessRow:
    return RobustnessRow(
        model="toy",
        case_id=case_id,
        disturbance=trial.disturbance,
        severity=trial.severity,
        repeat=trial.repeat,
        fold=0,
        has_scar=has_scar,
        myocardium_dice=0.9,
        scar_dice=dice,
        scar_percent_lv=percent,
        reference_scar_percent_lv=12.0,
        crop_holds_percent=None,
    )


AS_IT_IS = Trial(UNDISTURBED, 0.0)


def test_a_case_is_tried_once_undisturbed_at_every_severity_and_again_with_other_noise() -> None:
    planned = trials(["turns", NOISE])
    assert planned[0] == AS_IT_IS
    assert [trial.severity for trial in planned if trial.disturbance == "turns"] == [15.0, 45.0, 90.0]
    assert [t.repeat for t in planned if (t.disturbance, t.severity) == (NOISE, NOISE_PERCENT)] == [0, 1, 2, 3, 4]
    assert len(set(planned)) == len(planned) == 11
    assert len(trials(["turns"])) == 4


def test_a_disturbed_case_is_scored_against_labels_disturbed_alike() -> None:
    by = decided(PromptedNetwork(fill), None)
    planned = trials(["missing_slices"])
    as_it_is, *fewer = try_case("toy", by, toy_case("Case_1", scar=True, slices=5), 2, planned, seed=0)
    # every slice of the toy heart is the same, and so are the scores of fewer of them
    assert as_it_is.fold == 2
    for one in fewer:
        assert one.scar_dice == pytest.approx(as_it_is.scar_dice)
        assert one.reference_scar_percent_lv == pytest.approx(as_it_is.reference_scar_percent_lv)
    assert 0 < as_it_is.scar_dice < 1


def test_scar_below_the_decision_counts_as_none() -> None:
    by = decided(PromptedNetwork(fill), Decision(least_scar_percent=99.0))
    (only,) = try_case("toy", by, toy_case("Case_1", scar=True), 0, [AS_IT_IS], seed=0)
    assert (only.scar_percent_lv, only.scar_dice) == (0.0, 0.0)


def test_label_maps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made of the images as they are"):
        decided(LabelMaps(tmp_path), None)


def test_scores_are_means_over_cases_and_draws() -> None:
    noise = [Trial(NOISE, NOISE_PERCENT, repeat) for repeat in (0, 1)]
    rows = [row("A", AS_IT_IS), row("B", AS_IT_IS, dice=1.0, percent=0.0, has_scar=False)]
    rows += [row("A", noise[0], dice=0.6, percent=0.0), row("A", noise[1], dice=0.8, percent=8.0)]
    rows += [row("B", noise[0], dice=1.0, percent=0.0, has_scar=False)]
    rows += [row("B", noise[1], dice=0.0, percent=1.2, has_scar=False)]
    found = levels(rows)
    assert list(found) == [(UNDISTURBED, 0.0), (NOISE, NOISE_PERCENT)]
    level = found[NOISE, NOISE_PERCENT]
    assert (level.scar, level.scar_of_infarcts) == pytest.approx((0.6, 0.7))
    assert level.scar_percent == pytest.approx(2.3)
    assert (level.missed, level.invented) == (0.5, 0.5)


def test_the_loss_of_dice_is_relative() -> None:
    assert lost_percent(0.8, 0.6) == pytest.approx(25.0)
    assert lost_percent(0.0, 0.0) == 0.0


def test_the_cov_is_that_within_cases_with_scar() -> None:
    noise = [Trial(NOISE, NOISE_PERCENT, repeat) for repeat in (0, 1)]
    rows = [row("A", one, percent=percent) for one, percent in zip(noise, (9.0, 11.0), strict=True)]
    rows += [row("B", one, percent=20.0) for one in noise]
    rows += [row("C", one, percent=0.0) for one in noise]  # measured as 0 in all draws
    rows += [row("D", one, percent=4.0, has_scar=False) for one in noise]
    cov, cases = noise_cov(rows)
    # A: SD sqrt(2), mean 10; B: 0. Root mean square of 14.14 % and 0: 10 %.
    assert cov == pytest.approx(10.0)
    assert cases == 2
    assert noise_cov([row("A", AS_IT_IS)]) == (None, 0)


@pytest.mark.parametrize(("dice", "verdict"), [(0.79, "met"), (0.7, "missed")])
def test_the_summary_says_whether_a_goal_is_met(dice: float, verdict: str) -> None:
    rows = [row("A", AS_IT_IS), row("A", Trial("magnitude", 0.0), dice=dice)]
    text = robustness_markdown(rows)
    assert f"the goal, at most 5 %, is {verdict}" in text
    assert "| Magnitude (myocardium nulled, %) | 0 | 0.900 | 0.0 |" in text


def test_table_summary_and_picture_are_written(tmp_path: Path) -> None:
    names = list(DISTURBANCES)
    rows = [row(case_id, trial) for case_id in ("A", "B") for trial in trials(names)]
    summary = write_robustness(rows, tmp_path)
    assert (tmp_path / "robustness.md").read_text() == summary
    assert len(read_rows(RobustnessRow, tmp_path / "robustness.parquet")) == len(rows)
    words = [element.text for element in ElementTree.parse(tmp_path / "robustness.svg").iter() if element.text]
    assert [title for title in words if title in {how.title for how in DISTURBANCES.values()}] == [
        how.title for how in DISTURBANCES.values()
    ]
    assert "as it is" in words  # of the magnitude, which no severity leaves alone
