"""Words of rules: what fits a name, and that none can be written that takes for ever."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scarnet_cli.dicom.series.terms import fits, problem_of_term


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("short ax", "SHORT_AX"),
        ("short ax", "short-ax stack"),
        ("short ax", "ShortAx"),
        ("short ax", "SHORTAX"),
        ("sa", "DE_SA_2D"),
        ("sa", "SA1"),
        ("ti", "TI400"),
        ("*mde", "2DPSMDE"),
        ("kurz*", "Kurzachse"),
        ("cine * ir", "Cine_1_IR_RR"),
        ("late * enh*", "Late Gd Enhancement"),
        ("cine ir", "CineIR"),
        ("spätaufnahme", "SPATAUFNAHME"),
        ("spataufnahme", "Spätaufnahme"),
        ("2 ch", "2CH"),
        ("ti=", "TI_240"),
        ("*短轴*", "心脏短轴延迟"),
    ],
)
def test_a_term_fits_whatever_case_accents_and_signs_are(term: str, name: str) -> None:
    assert fits(term, name)


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("sa", "SAG"),
        ("sa", "NASA"),
        ("mde", "PSMDE"),
        ("2 ch", "12CH"),
        ("cine * ir", "cine_first"),
        ("short ax", "short sax"),
        ("t1", "T10"),
        ("kurz", "Kurzachse"),
    ],
)
def test_a_term_fits_whole_words_only(term: str, name: str) -> None:
    assert not fits(term, name)


def test_anchored_terms_fit_at_their_end_only() -> None:
    assert fits("ps", "PS:SA_LGE", "begins")
    assert not fits("ps", "SA PS LGE", "begins")
    assert fits("mag", "LGE_SAX_MAG (2)", "ends")
    assert not fits("mag", "MAG_SAX", "ends")
    assert fits("psir*moco", "SAX PSIR 2 MOCO", "ends")


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("(a+)+$", "plain words"),
        ("sax|sa", "one entry for each alternative"),
        ("*", "would fit every name"),
        ("a" * 65, "more than 64 characters"),
    ],
)
def test_what_is_no_term_is_told(term: str, words: str) -> None:
    assert words in (problem_of_term(term) or "")


def fits_slowly(term: str, name: str) -> bool:
    """Tell the same for lower-case letters, blanks and `*` by a plain regular expression, which may go back."""
    parts = term.split("*")
    pieces = [r"[\W_]*".join(map(re.escape, part.split())) for part in parts]
    edges = [
        (
            r"(?<![a-z])" if part.split() and (i == 0 or part.startswith(" ")) else "",
            r"(?![a-z])" if part.split() and (i == len(parts) - 1 or part.endswith(" ")) else "",
        )
        for i, part in enumerate(parts)
    ]
    pattern = ".*".join(left + piece + right for piece, (left, right) in zip(pieces, edges, strict=True))
    return re.search(pattern, name, re.DOTALL) is not None


@settings(max_examples=200, deadline=None)
@given(
    term=st.text("ab *", min_size=1, max_size=8).map(str.strip).filter(lambda t: problem_of_term(t) is None),
    name=st.text("ab _", max_size=12),
)
def test_never_going_back_finds_what_going_back_finds(term: str, name: str) -> None:
    assert fits(term, name) == fits_slowly(term, name)


def test_the_worst_term_on_the_worst_name_ends() -> None:
    # With backtracking this would try 200^30 ways.
    assert not fits("*".join("a" * 31) + "b", "a" * 200)
