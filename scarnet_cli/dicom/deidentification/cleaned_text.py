"""Reduce free text to known words, because technicians do write patients' names into the names of series.

The known words are the MR terms in `known_words.txt`; a person's name that is one of them (Long, Short) stays.
"""

import re
from collections.abc import Callable, Container, Iterable
from functools import cache
from importlib.resources import files
from typing import Final

ELLIPSIS: Final = "…"
_WORD: Final = re.compile(r"[A-Za-z0-9]+|[^\x20-\x7e]+")
_SEVERAL: Final = re.compile(f"{ELLIPSIS}(?:[^A-Za-z0-9]*{ELLIPSIS})+")
# Words and numbers of at least this length are replaced outside quotes too; shorter ones occur in our own messages.
_LETTERS: Final = 3
_DIGITS: Final = 4


def known_words() -> frozenset[str]:
    """Return the known words in lower case."""
    return _words_in("known_words.txt")


def scanner_words() -> frozenset[str]:
    """Return the words of scanners' models in lower case."""
    return _words_in("scanner_words.txt")


@cache
def _words_in(name: str) -> frozenset[str]:
    words = files("scarnet_cli.dicom.deidentification").joinpath(name).read_text(encoding="utf-8")
    return frozenset(word for line in words.splitlines() if not line.startswith("#") for word in line.split())


def cleaned(text: str, also_known: Container[str] = ()) -> str:
    """Return a text with every unknown word and number replaced by "…"; case does not matter.

    Args:
        text: The text.
        also_known: More known words, in lower case, for a text that is nobody's own words.
    """

    def kept_word(found: re.Match[str]) -> str:
        word = found[0].lower()
        return found[0] if word in known_words() or word in also_known else ELLIPSIS

    kept = _WORD.sub(kept_word, text)
    return _SEVERAL.sub(ELLIPSIS, kept)


def quote_cleaner(texts: Iterable[str]) -> Callable[[str], str]:
    """Return a function that cleans text quoted from headers in our messages and leaves the rest unchanged.

    Args:
        texts: All free text of the headers concerned.
    """
    longest_first = sorted(set(texts), key=lambda text: (-len(text), text))
    shown = {text: cleaned(text) for text in longest_first}
    strange = {word for text in longest_first for word in _words(text) if word.lower() not in known_words()}
    # A text that is cut, lower-cased or joined does not match as a whole, but its words do.
    words = "|".join(re.escape(word) for word in sorted(strange, key=lambda word: (-len(word), word)))
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])", re.IGNORECASE) if strange else None

    def clean(message: str) -> str:
        for text, kept in shown.items():
            message = message.replace(f"'{text}'", f"'{kept}'")
            if len(text) > _DIGITS:
                message = message.replace(text, kept)
        return pattern.sub(ELLIPSIS, message) if pattern else message

    return clean


def _words(text: str) -> Iterable[str]:
    for word in _WORD.findall(text):
        if len(word) >= (_DIGITS if word.isdigit() else _LETTERS):
            yield word
