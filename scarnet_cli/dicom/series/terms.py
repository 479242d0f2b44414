"""Match the terms of rules with series' names, in a language simple enough to need no manual.

A term is words as a person would say them. Case, accents and the signs between words do not matter; a blank stands for
any signs or none ("short ax" fits SHORT_AX, Short-Ax and ShortAx) and `*` for any characters or none. A term fits whole
words ("sa" does not fit SAG) except next to a `*` ("*mde" fits PSMDE, "kurz*" fits KURZACHSE). Digits may adjoin a word
(TI400).

Terms are not regular expressions: whatever a term holds, the time of a search grows at most with the square of the
name's length.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Final, Literal

# The part of the name that a term must fit.
Anchor = Literal["anywhere", "begins", "ends"]
MOST_CHARACTERS: Final = 64  # of a term; DICOM allows no longer name
_REGEX_SIGNS: Final = frozenset(r"^$[]{}|\+?")
_LETTER: Final = r"[^\W\d_]"


def problem_of_term(term: str) -> str | None:
    """Return what is wrong with a term, None if it is valid."""
    if len(term) > MOST_CHARACTERS:
        return f"'{term[:MOST_CHARACTERS]}…' has more than {MOST_CHARACTERS} characters"
    if not any(c.isalnum() for c in term):
        return f"'{term}' holds no letter or digit: it would fit every name"
    sign = next((c for c in term if c in _REGEX_SIGNS), None)
    if sign is not None:
        return f"'{term}' holds '{sign}': write plain words, with * for any characters, one entry for each alternative"
    return None


def fits(term: str, name: str, anchor: Anchor = "anywhere") -> bool:
    """Tell whether a term fits a name."""
    pattern = _pattern(term, anchor)
    return any(pattern.search(form) for form in _forms(name))


@cache
def _forms(name: str) -> tuple[str, ...]:
    """Return a name without case and accents; also with words split at capitals (CineIR)."""
    parted = "".join(f"{a} " if a.islower() and b.isupper() else a for a, b in pairwise(f"{name}\0"))
    return tuple({fold(name), fold(parted)})


def fold(text: str) -> str:
    """Return a text casefolded and without accents."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold()


@cache
def _pattern(term: str, anchor: Anchor) -> re.Pattern[str]:
    """Return the pattern of a term: literal parts, each matched at its first fit only.

    Atomic groups and possessive repeats prevent backtracking.
    """
    parts = re.sub(r"[^\w*]|_", " ", fold(term)).strip().split("*")
    pieces = [_piece(part, opens=i > 0, closes=i < len(parts) - 1) for i, part in enumerate(parts)]
    begin = r"\A[\W_]*" if anchor == "begins" else ""
    pieces[-1] += r"[\W\d_]*\Z" if anchor == "ends" else ""
    return re.compile(begin + pieces[0] + "".join(rf"(?>.*?{piece})" for piece in pieces[1:]), re.DOTALL)


def _piece(part: str, *, opens: bool, closes: bool) -> str:
    """Return the pattern of one part; an edge next to a `*` may lie within a word unless a blank separates them."""
    words = part.split()
    if not words:
        return ""
    left = "" if opens and not part.startswith(" ") else _no(words[0][0], behind=True)
    right = "" if closes and not part.endswith(" ") else _no(words[-1][-1], behind=False)
    return left + r"[\W_]*+".join(map(re.escape, words)) + right


def _no(character: str, *, behind: bool) -> str:
    """Return a pattern that forbids a character of the same kind, digit or letter, next to a word's edge."""
    return f"(?{'<' if behind else ''}!{r'[0-9]' if character.isdigit() else _LETTER})"
