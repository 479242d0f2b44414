"""Free text with only known words left: technicians do write names into the name of a series.

The words are a list, `known_words.txt`. It holds words of MR; a person who is called like one of them (Long, Short)
keeps that word.
"""

import re
from collections.abc import Iterable
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
    lines = files("scarnet_cli.dicom").joinpath("known_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def cleaned(text: str) -> str:
    """Return a text with every word and number that is not known as "…"; case does not matter."""
    kept = _WORD.sub(lambda found: found[0] if found[0].lower() in known_words() else ELLIPSIS, text)
    return _SEVERAL.sub(ELLIPSIS, kept)


def without_quotes(message: str, texts: Iterable[str]) -> str:
    """Return one of our messages with what it quotes from a header cleaned.

    Args:
        message: The message.
        texts: All free text of the headers that it is about.
    """
    strange: set[str] = set()
    for text in sorted(set(texts), key=lambda t: (-len(t), t)):
        shown = cleaned(text)
        message = message.replace(f"'{text}'", f"'{shown}'")
        if len(text) > _DIGITS:
            message = message.replace(text, shown)
        strange.update(word for word in _words(text) if word.lower() not in known_words())
    if not strange:
        return message
    # Cut, lower-cased or joined, a text is not found as a whole: its words are.
    pattern = "|".join(re.escape(word) for word in sorted(strange, key=lambda w: (-len(w), w)))
    return re.sub(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", ELLIPSIS, message, flags=re.IGNORECASE)


def _words(text: str) -> Iterable[str]:
    for word in _WORD.findall(text):
        if len(word) >= (_DIGITS if word.isdigit() else _LETTERS):
            yield word
