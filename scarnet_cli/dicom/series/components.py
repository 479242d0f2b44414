"""Determine the component of each frame's values: magnitude, phase-sensitive or another."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from scarnet_cli.dicom.facts import MAGNITUDE, PSIR, Frame, FrameFacts
from scarnet_cli.dicom.series.names import read_names
from scarnet_cli.dicom.series.rules import RuleMatch, SeriesRules


@dataclass(frozen=True, slots=True)
class Component:
    """The component of a frame's values, and how it is known.

    Attributes:
        value: "psir", "magnitude", "other" (phase, imaginary) or None.
        finding: The match of the rule that says so; None if no rule does.
        grade: Rank of its rule among those for the same value that apply within its series; 0 for the first.
    """

    value: str | None
    finding: RuleMatch | None = None
    grade: int = 0

    @property
    def key(self) -> Hashable:
        """The value that frames of one stack share."""
        return self.value or "", self.grade

    @property
    def words(self) -> str:
        """How it is known, as text for people."""
        if self.finding is not None:
            return self.finding.words
        return "values below zero" if self.value else "nothing says which"


def components_of(frames: Sequence[Frame], rules: SeriesRules) -> dict[int, Component]:
    """Return the component of each frame of a study, by `id(frame)`.

    It follows from the header; else from the series' name; else frames whose values reach below zero are
    phase-sensitive. A prefix or suffix that says phase-sensitive outweighs an ImageType that says magnitude for the
    whole series, because some exports write M for both series of a pair.
    """
    series: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:  # names too: a SeriesInstanceUID may be missing or shared by all
        series[frame.facts.series_uid, frame.facts.description, frame.facts.protocol].append(frame)
    found: dict[int, Component] = {}
    for members in series.values():
        found.update(zip(map(id, members), _of_series(members, rules), strict=True))
    return found


def _of_series(series: Sequence[Frame], rules: SeriesRules) -> list[Component]:
    facts = series[0].facts
    named = read_names(facts.description, facts.protocol, rules).finding("component")
    told = [header_component(frame.facts, rules) for frame in series]
    marked = named is not None and named.value == PSIR and named.rule.witness != "name"  # by prefix or suffix
    if marked and {f.value if f else None for f in told} == {MAGNITUDE}:
        told = [named] * len(series)
    found = [_component(finding or named, frame.facts) for finding, frame in zip(told, series, strict=True)]
    return _graded(found, rules)


def header_component(facts: FrameFacts, rules: SeriesRules) -> RuleMatch | None:
    """Return the rule match of a frame's ComplexImageComponent, else of the third and later values of its ImageType."""
    for words in ([facts.complex_component or ""], (facts.image_type or "").split("\\")[2:]):
        if (finding := rules.among("component", "image_type", words)) is not None:
            return finding
    return None


def _component(finding: RuleMatch | None, facts: FrameFacts) -> Component:
    if finding is not None:
        return Component(finding.value, finding)
    return Component(PSIR if facts.intercept < 0 else None)


def _graded(found: Sequence[Component], rules: SeriesRules) -> list[Component]:
    """Grade components of one value if a series holds several (Philips' real and corrected real images)."""
    told = {c.finding.rule for c in found if c.finding}
    if len(told) < 2:  # noqa: PLR2004 (two can differ)
        return list(found)
    in_order = [rule for rule in rules.rules if rule in told]

    def grade(component: Component) -> int:
        rule = component.finding.rule if component.finding else None
        alike = [r for r in in_order if r.value == component.value]
        return alike.index(rule) if rule in alike else 0

    return [replace(c, grade=grade(c)) for c in found]
