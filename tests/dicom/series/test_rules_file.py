"""A site's file of rules: every wrong entry is named by its line, and the right ones come before the built-in."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scarnet_cli.dicom.series.names import read_name
from scarnet_cli.dicom.series.rules import VALUES, WITNESSES
from scarnet_cli.dicom.series.rules_file import MOST_BYTES, built_in_rules, parse_rules, read_series_rules
from scarnet_cli.errors import InputError

EXAMPLE = Path(__file__).parents[3] / "examples" / "series_rules.yml"


def problems(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_rules(text, "site")
    assert caught.value.code == "series_rules"
    return str(caught.value)


def test_every_wrong_entry_is_listed_with_its_line() -> None:
    message = problems(
        "- kind: lge\n"
        "  name: [spätaufnahme]\n"
        "  why: right\n"
        "- kind: lgee\n"
        "  name: [x]\n"
        "  why: wrong value\n"
        "- vew: sax\n"
        "  name: [x]\n"
        "  why: wrong key\n"
        "- view: sax\n"
        "  name: [kurzachse, '(a+)+$']\n"
        "- view: sax\n"
        "  kind: lge\n"
        "  name: x\n"
        "  why: two things\n"
        "- averaged: yes\n"
        "  image_type: [AVG]\n"
        "  why: cannot be told so\n"
        "- just words\n"
        "- kind: lge\n"
        "  name: [a]\n"
        "  name: [b]\n"
        "  why: twice\n"
        "- series: take\n"
        "  description: []\n"
        "  why: nothing\n"
        "- kind: lge\n"
        "  sequence: IR\n"
        "  unless: [x]\n"
        "  why: unless a header\n"
    )
    told = [
        "The series rules have 10 wrong entries:",
        "line 4: kind is lge, ",
        "not 'lgee' (did you mean 'lge'?)",
        "line 7: a rule has no key 'vew' (did you mean 'view'?)",
        "line 10: 'why' is missing",
        "line 11: '(a+)+$' holds '+': write plain words",
        "line 12: a rule says one thing",
        "this one has view, kind, name",
        "line 16: averaged is told by name, name_begins or name_ends, not by image_type",
        "line 19: 'just words' is not a rule",
        "line 22: 'name' stands twice in one rule",
        "line 25: the list of words is empty",
        "line 27: 'unless' goes with words of a name only",
    ]
    assert [words for words in told if words not in message] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: lge\nname: [x]\nwhy: y\n", "line 1: the file must be a list of rules"),
        ("- kind: [lge\n", "not YAML: line 2, column 1"),
        ("- kind: *x\n", "not YAML: line 1"),
        ("- kind: lge\n  name: *mde\n  why: a star needs quotes\n", "quote words with special characters"),
        ("- kind: lge\n  name: [{a: b}]\n  why: x\n", "line 2: a mapping is not a word"),
        ("- kind: lge\n  name: [[a]]\n  why: x\n", "line 2: a list in a list is not a word"),
        ("- kind: lge\n  name:\n  why: x\n", "is not a word or list of words"),
        ("[" * 5000, "not YAML"),
        ("\x00", "not YAML text"),
    ],
)
def test_what_is_no_list_of_rules_is_one_message(text: str, words: str) -> None:
    assert words in problems(text) or "nested too deeply" in problems(text)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(["- ", "kind", "name", "why", ": ", "[", "]", "&a ", "*a", "\n  ", "\n", "{", "'", "!x "])
        ).map("".join),
    )
)
def test_whatever_a_file_holds_it_is_rules_or_one_message(text: str) -> None:
    told, rules = "The series rules ", ()
    try:
        rules = parse_rules(text, "site")
    except InputError as error:
        told = str(error)
    assert told.startswith("The series rules ")
    assert all(rule.words and rule.why for rule in rules)


def test_a_tag_makes_no_object_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"- kind: lge\n  image_type: !!python/object/apply:pathlib.Path.touch ['{mark}']\n  why: x\n"
    (rule,) = parse_rules(text, "site")
    assert rule.words == (str(mark),)  # words like any others
    assert not mark.exists()


def test_words_stay_as_they_are_written() -> None:
    (rule,) = parse_rules("- kind: lge\n  name: [no, 2, 1e3, 2020-01-01]\n  why: yes\n", "site")
    assert rule.words == ("no", "2", "1e3", "2020-01-01")


def test_an_empty_file_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("# nothing yet\n")
    assert read_series_rules(tmp_path / "rules.yml").rules == built_in_rules().rules


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"- kind: \xff", "not UTF-8 text"), (b"#" * (MOST_BYTES + 1), "at most 200000 are read")],
)
def test_a_file_that_is_no_text_of_this_kind_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "rules.yml").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_series_rules(tmp_path / "rules.yml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_series_rules(tmp_path / "none.yml")


def test_the_example_tells_what_the_built_in_rules_do_not() -> None:
    rules = read_series_rules(EXAMPLE)
    for name, kind, view in (
        ("Verzögerte Aufnahme KA", "lge", "sax"),
        ("vue tardive coupe petit axe", "lge", "sax"),
        ("Frühaufnahme Kurzachsen", "early", "sax"),
        ("IR nach KM Vierk.", "lge", "lax"),
    ):
        told = read_name(name, rules)
        assert (told.kind, told.view) == (kind, view)
    assert read_name("Spätaufn Phasensensitiv", rules).component == "psir"
    assert {rule.says for rule in rules.rules if rule.owner == "site"} == {"kind", "view", "component", "series"}


def test_the_sites_rules_win() -> None:
    (rule,) = parse_rules("- kind: cine\n  name: lge\n  why: odd house\n", "site")
    rules = type(built_in_rules())((rule, *built_in_rules().rules))
    assert read_name("LGE_SAX", rules).kind == "cine"
    assert read_name("LGE_SAX", rules).finding("kind") is not None
    assert read_name("LGE_SAX").kind == "lge"


def test_every_value_and_witness_is_used_by_the_built_in_rules_or_meant_for_sites() -> None:
    used = {(rule.says, rule.value) for rule in built_in_rules().rules}
    assert {(says, value) for says, values in VALUES.items() for value in values} - used == {
        ("series", "take"),
        ("series", "leave"),
    }
    assert {rule.witness for rule in built_in_rules().rules} == {w for ws in WITNESSES.values() for w in ws} - {
        "description"
    }
