"""Free text with only known words left: technicians do write names into the name of a series.

The words are a list, `known_words.txt`. It holds words of MR; a person who is called like one of them (Long, Short)
keeps that word.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Final

ELLIPSIS: Final = "…"
_WORD: Final = re.compile(r"[A-Za-z0-9]+|[^\x20-\x7e]+")
_SEVERAL: Final = re.compile(f"{ELLIPSIS}(?:[^A-Za-z0-9]*{ELLIPSIS})+")
# A word or number this long is looked for in a message outside of quotes as well; shorter ones are in ours too.
_LETTERS: Final = 3
_DIGITS: Final = 4


@cache
def known_words() -> frozenset[str]:
    """Return the words that stay, in lower case."""
    words = files("scarnet_cli.dicom.deidentification").joinpath("known_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in words.splitlines() if not line.startswith("#") for word in line.split())


def cleaned(text: str) -> str:
    """Return a text with every word and number that is not known as "…"; case does not matter."""
    kept = _WORD.sub(lambda found: found[0] if found[0].lower() in known_words() else ELLIPSIS, text)
    return _SEVERAL.sub(ELLIPSIS, kept)


def quote_cleaner(texts: Iterable[str]) -> Callable[[str], str]:
    """Return a function that cleans what one of our messages quotes from a header, and leaves the rest as it is.

    Args:
        texts: All free text of the headers that the messages are about.
    """
    longest_first = sorted(set(texts), key=lambda text: (-len(text), text))
    shown = {text: cleaned(text) for text in longest_first}
    strange = {word for text in longest_first for word in _words(text) if word.lower() not in known_words()}
    # Cut, lower-cased or joined, a text is not found as a whole: its words are.
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
