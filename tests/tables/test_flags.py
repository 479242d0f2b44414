"""The one list of flags: every code that a stage raises is in it, with words and what to do."""

import ast
from pathlib import Path

from scarnet_cli.tables.flags import FLAGS, is_finding

PACKAGE = Path(__file__).parents[2] / "scarnet_cli"


def _noted_codes() -> set[str]:
    """Return the codes of all `Note(code, words, flag=True)` in the package."""
    calls = (
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Note"
    )
    flagged = (call for call in calls if any(keyword.arg == "flag" for keyword in call.keywords))
    return {str(call.args[0].value) for call in flagged if isinstance(call.args[0], ast.Constant)}


def test_every_flag_of_the_conversion_is_listed() -> None:
    noted = _noted_codes()
    assert "latest_stack_chosen" in noted
    assert noted <= FLAGS.keys()


def test_words_fit_a_cell_and_sentences_are_sentences() -> None:
    for code, flag in FLAGS.items():
        assert len(flag.phrase) <= 45, code
        assert flag.meaning.endswith("."), code
        assert flag.action.endswith("."), code


def test_only_findings_are_no_doubt() -> None:
    assert is_finding("no_scar")
    assert not is_finding("no_remote")
    assert not is_finding("some_new_flag")
