"""The review list's order, and what the page's script is given."""

from typing import Any

from scarnet_cli.report.rows import address, make_table


def row(study_id: str, confidence: float | None = None, *flags: str, **others: str) -> dict[str, Any]:
    return {"study_id": study_id, "confidence": confidence, "flags": list(flags), **others}


def test_worst_studies_come_first() -> None:
    table = make_table(
        [
            row("sure", 0.99),
            row("given"),  # labels that were given have no confidence
            row("finding", 0.6, "no_scar"),
            row("unsure", 0.5),
            row("flagged", 0.9, "few_slices"),
            row("worst", 0.95, "few_slices", "no_remote"),
            row("flagged, unsure", 0.7, "no_remote", "no_scar"),
            row("scar or none", 0.8, "scar_uncertain"),
        ],
        "",
    )
    order = [found["study_id"] for found in table.rows]
    assert order == ["scar or none", "worst", "flagged, unsure", "flagged", "unsure", "finding", "sure", "given"]


def test_flags_are_counted_with_findings_last() -> None:
    table = make_table([row("a", None, "no_scar", "no_remote"), row("b", None, "no_scar"), row("c", None, "x")], "")
    assert table.flags == {"no_remote": 1, "x": 1, "no_scar": 2}


def test_labels_are_there_where_any_study_has_one() -> None:
    table = make_table([row("a", site="Bern"), row("b")], "")
    assert table.labels == {"site": "Site"}
    assert [short[2] for short in table.for_script()["rows"]] == [["Bern"], [None]]


def test_small_numbers_do_not_become_zero() -> None:
    table = make_table([{**row("a"), "mvo_percent_lv": 0.00012345, "scar_percent_lv": 12.34567}], "")
    numbers = table.for_script()["rows"][0][3]
    assert (numbers[0], numbers[3]) == (12.35, 0.0001234)


def test_cohort_is_named_by_its_studies_and_models_in_any_order() -> None:
    names = [make_table(rows, "m").cohort for rows in ([row("a"), row("b")], [row("b", 0.1), row("a")])]
    assert names[0] == names[1]
    assert len({names[0], make_table([row("a")], "m").cohort, make_table([row("a"), row("b")], "n").cohort}) == 3


def test_address_is_safe_in_a_link() -> None:
    assert address("a/b#?") == "studies/a%2Fb%23%3F.html"
