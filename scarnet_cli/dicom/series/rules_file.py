"""Read a file of series rules (YAML); list every wrong entry by its line, and never execute anything in the file.

Values are read as plain text: `no` is the word "no", and no tag creates an object.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml

from scarnet_cli.dicom.series.rules import VALUES, WITNESSES, Owner, Rule, SeriesRules
from scarnet_cli.dicom.series.terms import problem_of_term
from scarnet_cli.errors import InputError

MOST_BYTES: Final = 200_000
_MOST_SHOWN: Final = 50
# libyaml's loader is ten times as fast, but deeply nested text crashes it, so it does not read a site's file.
_QUICK: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ALL_WITNESSES: Final = tuple(dict.fromkeys(w for witnesses in WITNESSES.values() for w in witnesses))
_KEYS: Final = (*VALUES, *_ALL_WITNESSES, "unless", "why")
_FORM: Final = (
    "a rule says one thing (kind, view, component, averaged, uncorrected or series) by one witness (name, name_begins, "
    "name_ends, image_type, sequence or description), and why"
)


@cache
def built_in_rules() -> SeriesRules:
    """Return the built-in rules."""
    text = files("scarnet_cli.dicom.series").joinpath("series_rules.yml").read_text(encoding="utf-8")
    return SeriesRules(parse_rules(text, "built-in"))


def read_series_rules(path: Path | None) -> SeriesRules:
    """Return a site's rules followed by the built-in ones; only the latter if `path` is None.

    Raises:
        InputError: The file cannot be read, or entries are wrong; the message lists each by its line.
    """
    if path is None:
        return built_in_rules()
    return SeriesRules((*read_rules_file(path, "site"), *built_in_rules().rules))


def read_rules_file(path: Path, owner: Owner) -> tuple[Rule, ...]:
    """Read and check a file of rules.

    Raises:
        InputError: The file cannot be read, or entries are wrong; the message lists each by its line.
    """
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            message = (
                f"The series rules have {len(content)} bytes, at most {MOST_BYTES} are read; is it the right file?"
            )
            raise InputError("series_rules", message)
        text = content.decode("utf-8-sig")
    except OSError as error:
        message = f"The series rules cannot be read ({error.strerror}); check the file."
        raise InputError("series_rules", message) from None
    except UnicodeDecodeError as error:
        message = f"The series rules are not UTF-8 text (byte {error.start}); save the file as UTF-8."
        raise InputError("series_rules", message) from None
    return parse_rules(text, owner)


def parse_rules(text: str, owner: Owner) -> tuple[Rule, ...]:
    """Return the rules in a file's text, in order.

    Raises:
        InputError: The text is not YAML, or entries are wrong; the message lists each by its line.
    """
    root = _composed(text, _QUICK if owner == "built-in" else yaml.SafeLoader)
    if root is None:
        return ()
    problems: list[str] = []
    if not isinstance(root, yaml.SequenceNode):
        problems = [f"line {_line(root)}: the file must be a list of rules, each beginning with '- '; {_FORM}"]
    nodes = root.value if isinstance(root, yaml.SequenceNode) else []
    rules = [rule for node in nodes if (rule := _rule(node, owner, problems))]
    if problems:
        shown = "\n  ".join(problems[:_MOST_SHOWN])
        more = f"\n  and {len(problems) - _MOST_SHOWN} more" if len(problems) > _MOST_SHOWN else ""
        count = "1 wrong entry" if len(problems) == 1 else f"{len(problems)} wrong entries"
        message = f"The series rules have {count}:\n  {shown}{more}"
        raise InputError("series_rules", message)
    return tuple(rules)


def _composed(text: str, loader: type[yaml.SafeLoader]) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        message = f"The series rules are not YAML: {where}{error.problem}; quote words with special characters."
    except yaml.YAMLError:
        message = "The series rules are not YAML text (a control character); save the file as plain UTF-8."
    except RecursionError:
        message = f"The series rules are nested too deeply; {_FORM}."
    raise InputError("series_rules", message) from None


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _rule(node: yaml.Node, owner: Owner, problems: list[str]) -> Rule | None:
    """Return one rule; if anything is wrong with it, add that to `problems` and return None."""
    before = len(problems)
    fields: dict[str, yaml.Node] = {}
    for key, value, problem in _fields(node):
        problems.extend([problem] if problem else [])
        fields.setdefault(key, value)
    if len(problems) > before:
        return None
    says, witness = ([key for key in fields if key in group] for group in (VALUES, _ALL_WITNESSES))
    if len(says) != 1 or len(witness) != 1:
        problems.append(f"{_at(node)}: {_FORM}; this one has {', '.join([*says, *witness]) or 'neither'}")
        return None
    why = _scalar(fields.get("why"))
    problems.extend(f"{_at(node)}: {problem}" for problem in _clashes(says[0], witness[0], fields))
    value, allowed = _scalar(fields[says[0]]), VALUES[says[0]]
    if value not in allowed:
        hint = f"{says[0]} is {_listed(allowed)}, not '{value}'{_near(value, allowed)}"
        problems.append(f"{_at(fields[says[0]])}: {hint}")
    words = _words(fields[witness[0]], problems, terms=witness[0].startswith("name"))
    unless = _words(fields["unless"], problems, terms=True) if "unless" in fields else ()
    if len(problems) > before:
        return None
    return Rule(says[0], value, witness[0], words, unless, why, owner)


def _at(node: yaml.Node) -> str:
    return f"line {_line(node)}"


def _fields(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, str | None]]:
    """Yield each key of a rule with its value and what is wrong with the key, or None."""
    if not isinstance(node, yaml.MappingNode):
        yield "", node, f"{_at(node)}: '{_scalar(node)}' is not a rule; {_FORM}"
        return
    seen: set[str] = set()
    for key_node, value in node.value:
        key = _scalar(key_node)
        if key not in _KEYS:
            yield (
                key,
                value,
                f"{_at(key_node)}: a rule has no key '{key}'{_near(key, _KEYS)}; the keys are {_listed(_KEYS)}",
            )
        elif key in seen:
            yield key, value, f"{_at(key_node)}: '{key}' stands twice in one rule; put all its words into one list"
        else:
            yield key, value, None
        seen.add(key)


def _clashes(says: str, witness: str, fields: dict[str, yaml.Node]) -> Iterator[str]:
    if witness not in WITNESSES[says]:
        yield f"{says} is told by {_listed(WITNESSES[says])}, not by {witness}"
    if "unless" in fields and not witness.startswith("name"):
        yield "'unless' goes with words of a name only"
    if not _scalar(fields.get("why")):
        yield "'why' is missing: give the reason in a few words"


def _words(node: yaml.Node, problems: list[str], *, terms: bool) -> tuple[str, ...]:
    """Return a node's word or list of words; add what is wrong with them to `problems`."""
    nodes: Sequence[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else [node]
    words: list[str] = []
    if not nodes:
        problems.append(f"{_at(node)}: the list of words is empty")
    for item in nodes:
        word = _scalar(item)
        problem = (
            f"{_shown(item)} is not a word or list of words" if not word else problem_of_term(word) if terms else None
        )
        if problem:
            problems.append(f"{_at(item)}: {problem}")
        words.append(word)
    return tuple(words)


def _scalar(node: yaml.Node | None) -> str:
    """Return a plain value as written, an empty string for everything else."""
    return node.value.strip() if isinstance(node, yaml.ScalarNode) else ""


def _shown(node: yaml.Node) -> str:
    kinds = ((yaml.MappingNode, "a mapping"), (yaml.SequenceNode, "a list in a list"))
    return next((words for kind, words in kinds if isinstance(node, kind)), "an empty value")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" or " if words[1:] else "") + words[-1] if words else ""


def _near(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f" (did you mean '{close[0]}'?)" if close else ""
