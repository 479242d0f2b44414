"""Codes and numbers in words."""

import pytest

from scarnet_cli.draw.text import UNDEFINED, code_text, count_text, number_text, signed_text, stage_text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("no_scar", "No scar"),
        ("no_lge_stack", "No LGE stack"),
        ("some_new_flag", "Some new flag"),
        ("rv_insertion", "RV insertion"),
    ],
)
def test_code_is_a_phrase(code: str, words: str) -> None:
    assert code_text(code) == words


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(None, 1, UNDEFINED), (0.0, 1, "0.0"), (0.02, 1, "<0.1"), (0.05, 1, "0.1"), (12.34, 1, "12.3"), (7, 0, "7")],
)
def test_small_number_is_not_shown_as_zero(value: float | None, digits: int, text: str) -> None:
    assert number_text(value, digits) == text


def test_count_has_its_plural() -> None:
    assert count_text(1, "study", "studies") == "1 study"
    assert count_text(1200, "study", "studies") == "1,200 studies"
    assert count_text(2, "slice") == "2 slices"


def test_a_difference_has_its_sign_and_zero_is_never_negative() -> None:
    assert [signed_text(value) for value in (1.25, -0.04, -8.0, None)] == ["+1.2", "+0.0", "-8.0", "\N{EN DASH}"]


def test_a_stage_is_told_by_what_it_does() -> None:
    assert [stage_text(stage) for stage in ("crop", "later_stage")] == ["while locating the heart", "later_stage"]
