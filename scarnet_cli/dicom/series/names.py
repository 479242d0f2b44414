"""Read the evidence in a series' names; it is never proof."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from scarnet_cli.dicom.series.rules import VALUES, RuleMatch, SeriesRules
from scarnet_cli.dicom.series.rules_file import built_in_rules
from scarnet_cli.dicom.series.terms import fold

LGE: Final = "lge"
SAX: Final = "sax"
LAX: Final = "lax"
MIXED: Final = "mixed"


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """The evidence of a name.

    Attributes:
        kind: "lge", another kind ("ti_scout", "cine", ...), or None if it says nothing.
        view: "sax", "lax" (of the heart), "other" (not short axis), "mixed" (short axis and others) or None.
        component: "psir", "magnitude", "other" or None.
        averaged: Whether it is an average of repeats.
        uncorrected: Whether it is the unfiltered copy of another series.
        findings: The matches of the rules that said so.
    """

    kind: str | None
    view: str | None
    component: str | None
    averaged: bool
    uncorrected: bool
    findings: tuple[RuleMatch, ...] = ()

    def finding(self, says: str) -> RuleMatch | None:
        """Return the first match of a rule on `says` (a key of `VALUES`), None if there is none."""
        return next((found for found in self.findings if found.rule.says == says), None)


@cache
def read_name(name: str, rules: SeriesRules | None = None) -> NameEvidence:
    """Return the evidence of a SeriesDescription or ProtocolName, by the built-in rules unless others are given."""
    rules = rules or built_in_rules()
    found = [rules.in_name(says, name) for says in ("kind", "component", "averaged", "uncorrected")]
    kind, component, averaged, uncorrected = found
    views = _views(name, rules)
    said = [v.value for v in views]
    view = MIXED if SAX in said and len(said) > 1 else said[0] if said else None
    return NameEvidence(
        kind=kind.value if kind else None,
        view=view,
        component=component.value if component else None,
        averaged=averaged is not None,
        uncorrected=uncorrected is not None,
        findings=tuple(f for f in (*found, *views) if f is not None),
    )


def _views(name: str, rules: SeriesRules) -> list[RuleMatch]:
    """Return the name's match for each view; the built-in rules apply only if the site's rules match none."""
    for owner in ("site", "built-in"):
        own = [f for v in VALUES["view"] if (f := _owned(rules, owner, v).in_name("view", name)) is not None]
        if own:
            return own
    return []


@cache
def _owned(rules: SeriesRules, owner: str, view: str) -> SeriesRules:
    return SeriesRules(tuple(r for r in rules.rules if (r.owner, r.says, r.value) == (owner, "view", view)))


def read_names(description: str | None, protocol: str | None, rules: SeriesRules) -> NameEvidence:
    """Return the evidence of both names of a series: ProtocolName counts if SeriesDescription says nothing."""
    first, second = read_name(description or "", rules), read_name(protocol or "", rules)
    if not second.findings:
        return first
    told = {found.rule.says for found in first.findings}
    return NameEvidence(
        kind=first.kind or second.kind,
        view=first.view or second.view,
        component=first.component or second.component,
        averaged=first.averaged or second.averaged,
        uncorrected=first.uncorrected or second.uncorrected,
        findings=(*first.findings, *(found for found in second.findings if found.rule.says not in told)),
    )


@cache
def merged_name(name: str) -> str:
    """Return a name without what varies within one stack: numbers (inversion time, slice) and punctuation."""
    plain = re.sub(r"([234])[\s_-]*(?=ch)", lambda m: "abc"[int(m[1]) - 2], fold(name))
    return re.sub(r"[\W\d_]+", " ", plain).strip()
