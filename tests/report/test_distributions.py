"""Distributions by group, and agreement with references: the right studies and the right words."""

from typing import Any

import pytest

from scarnet_cli.report.distributions import comparisons, histograms
from scarnet_cli.report.references import reference_figures


def row(name: str, group: str | None, scar: float | None, **others: float | None) -> dict[str, Any]:
    measures = {"scar_percent_lv": scar, "myocardium_g": None, "mvo_percent_lv": None}
    return {"study_id": name, "group": group, **measures, **others}


def test_histogram_counts_the_studies_without_scar_apart() -> None:
    scar, mass, _ = histograms([row("a", None, 0.0), row("b", None, 4.0), row("c", None, None)])
    assert scar.summary == "None in 1 of 2 studies. Median of the others 4.0 %. Undefined in 1 study."
    assert (scar.values, mass.values) == ((4.0,), ())


def test_groups_are_compared_with_their_zeros() -> None:
    rows = [row("a", "x", 0.0), row("b", "x", 0.0), row("c", "x", 9.0), row("d", "y", 4.0), row("e", None, 7.0)]
    (scar,) = comparisons(rows, "group")
    assert scar.summary == (
        "x (n = 3): median 0.0; y (n = 1): median 4.0. 1 study has no group. No test: fewer than 3 studies in y."
    )
    assert scar.svg.count("<circle") == 4


def test_two_groups_are_compared_by_ranks_and_three_too() -> None:
    rows = [row(f"{group}{n}", group, 10.0 * place + n) for place, group in enumerate("xyz") for n in range(4)]
    (two,) = comparisons(rows[:8], "group")
    # every value of y is above every one of x, by 10 - 3 to 10 + 3: 2 of the 70 ways to deal out the ranks
    assert two.summary.endswith(
        "Mann-Whitney U test, p = 0.029; Hodges-Lehmann shift (y minus x) +10.0 % (+7.0 to +13.0). "
        "In parentheses: 95 % intervals."
    )
    (three,) = comparisons(rows, "group")
    assert "Kruskal-Wallis test, p = 0.00" in three.summary


def test_groups_of_equal_values_are_not_tested() -> None:
    rows = [row(f"{group}{n}", group, 0.0) for group in "xy" for n in range(3)]
    (scar,) = comparisons(rows, "group")
    assert scar.summary.endswith("No test: all values are equal.")


def test_one_group_is_no_comparison() -> None:
    assert comparisons([row("a", "x", 1.0), row("b", "x", 2.0)], "group") == ()
    assert comparisons([row("a", None, 1.0)], "site") == ()


def test_smallest_of_many_groups_are_left_out() -> None:
    rows = [row(f"{group}{n}", f"g{group:02}", 1.0) for group in range(14) for n in range(1 + (group > 1))]
    (scar,) = comparisons(rows, "group")
    assert "2 smaller groups left out." in scar.summary
    assert "g00" not in scar.svg
    assert "g13" in scar.svg


def test_agreement_is_of_the_studies_with_a_reference() -> None:
    rows = [
        row("a", None, 12.0, reference_scar_percent_lv=10.0, scar_dice=0.8, scar_hd95_mm=5.0),
        row("b", None, 0.0, reference_scar_percent_lv=0.0, scar_dice=1.0, scar_hd95_mm=None),
        row("c", None, 50.0),
    ]
    scar, scatter, dice = reference_figures(rows)
    # differences 2 and 0: bias 1, SD sqrt(2), limits 1 -+ 2.77
    assert scar.summary.startswith("2 studies. Bias +1.0 %, limits of agreement -1.8 to +3.8 %; CoV 28.3 %")
    assert scar.svg.count('class="scarred"') == scar.svg.count('class="normal"') == 1
    # CCC: twice the covariance (30) over the variances (36 and 25) and the squared bias (1)
    assert scatter.summary == "2 studies. r \N{EN DASH}, CCC 0.97."
    assert dice.summary == "Scar: median Dice 0.90, HD95 5.0 mm."


@pytest.mark.parametrize("reference", [{}, {"reference_scar_percent_lv": None, "scar_dice": None}])
def test_without_references_there_is_no_agreement(reference: dict[str, None]) -> None:
    assert reference_figures([row("a", None, 1.0, **reference)]) == ()
