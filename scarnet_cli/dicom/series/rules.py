"""Define the rules that series are judged by: a site's own, then the built-in ones.

A rule states one property (`Rule.says`, `Rule.value`) by one witness (`Rule.witness`); its words are alternatives.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from scarnet_cli.dicom.series.terms import Anchor, fits, fold

Owner = Literal["built-in", "site"]

KINDS: Final = (
    "lge",
    "ti_scout",
    "map",
    "perfusion",
    "early",
    "cine",
    "flow",
    "localiser",
    "fat_water",
    "atrium",
    "anatomy",
)
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "view": ("sax", "lax", "other"),
    "component": ("psir", "magnitude", "other"),
    "averaged": ("yes",),
    "uncorrected": ("yes",),
    "series": ("take", "leave"),
}
NAME_WITNESSES: Final[dict[str, Anchor]] = {"name": "anywhere", "name_begins": "begins", "name_ends": "ends"}
WITNESS_WORDS: Final = {
    "name": "the name",
    "name_begins": "the name's beginning",
    "name_ends": "the name's end",
    "image_type": "ImageType",
    "sequence": "the sequence",
    "description": "SeriesDescription",
}
# Witnesses allowed for each property.
WITNESSES: Final[dict[str, tuple[str, ...]]] = {
    "kind": (*NAME_WITNESSES, "image_type", "sequence"),
    "view": tuple(NAME_WITNESSES),
    "component": (*NAME_WITNESSES, "image_type"),
    "averaged": tuple(NAME_WITNESSES),
    "uncorrected": tuple(NAME_WITNESSES),
    "series": ("description",),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that states one property of a series by one witness.

    Attributes:
        says: The property it states: a key of `VALUES`.
        value: One of that key's values.
        witness: What it looks at: one of that key's `WITNESSES`.
        words: Alternatives, any of which is enough: terms (see `terms`) for a name, whole values otherwise.
        unless: Terms that exclude a name.
        why: The reason, as text for people.
        owner: "site" for a site's own rule, else "built-in".
    """

    says: str
    value: str
    witness: str
    words: tuple[str, ...]
    unless: tuple[str, ...]
    why: str
    owner: Owner = "built-in"

    def word_in_name(self, name: str) -> str | None:
        """Return the first of the rule's words that fits a name, None if none does or a term of `unless` fits."""
        anchor = NAME_WITNESSES[self.witness]
        word = next((word for word in self.words if fits(word, name, anchor)), None)
        return None if word is None or any(fits(term, name) for term in self.unless) else word

    def word_among(self, values: Iterable[str]) -> str | None:
        """Return the first of the rule's words that equals a value apart from case and accents, None if none does."""
        found = {fold(value.strip()) for value in values}
        return next((word for word in self.words if fold(word.strip()) in found), None)


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """The match of a rule with a series.

    Attributes:
        value: The value that the rule states.
        rule: The rule.
        word: The word of the rule that fits.
    """

    value: str
    rule: Rule
    word: str

    @property
    def words(self) -> str:
        """The word, its witness, the rule's owner and reason, as text for people."""
        owner = "the site's rule" if self.rule.owner == "site" else "built-in"
        return f"'{self.word}' in {WITNESS_WORDS[self.rule.witness]} ({owner}: {self.rule.why})"


@dataclass(frozen=True, eq=False)
class SeriesRules:
    """All rules, in the order in which they apply. They compare by identity, so that they are quick cache keys."""

    rules: tuple[Rule, ...]

    @property
    def digest(self) -> str:
        """Digest of the site's rules, empty if there are none; the built-in ones are part of the code."""
        site = [rule for rule in self.rules if rule.owner == "site"]
        return hashlib.sha256(repr(site).encode()).hexdigest()[:32] if site else ""

    def in_name(self, says: str, name: str) -> RuleMatch | None:
        """Return the match of the first rule on `says` that fits a name, None if none does."""
        for rule in self.rules:
            if rule.says == says and rule.witness in NAME_WITNESSES and (word := rule.word_in_name(name)) is not None:
                return RuleMatch(rule.value, rule, word)
        return None

    def among(self, says: str, witness: str, values: Iterable[str]) -> RuleMatch | None:
        """Return the match of the first rule on `says` that fits a header field's values, None if none does."""
        return _among(self, says, witness, tuple(values))


@cache
def _among(rules: SeriesRules, says: str, witness: str, values: tuple[str, ...]) -> RuleMatch | None:
    for rule in rules.rules:
        if (rule.says, rule.witness) == (says, witness) and (word := rule.word_among(values)) is not None:
            return RuleMatch(rule.value, rule, word)
    return None
