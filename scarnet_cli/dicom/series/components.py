"""Magnitude or phase-sensitive: what each frame's values are."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from scarnet_cli.dicom.facts import MAGNITUDE, PSIR, Frame, FrameFacts
from scarnet_cli.dicom.series.names import read_names
from scarnet_cli.dicom.series.rules import RuleMatch, SeriesRules


@dataclass(frozen=True, slots=True)
class Component:
    """What a frame's values are, and how that is known.

    Attributes:
        value: "psir", "magnitude", "other" (phase, imaginary) or None.
        finding: The rule that says so; None where none does.
        grade: Of several such components within one series, the one of the rule that stands first has 0.
    """

    value: str | None
    finding: RuleMatch | None = None
    grade: int = 0

    @property
    def key(self) -> Hashable:
        """What frames of one stack have in common."""
        return self.value or "", self.grade

    @property
    def words(self) -> str:
        """How it is known, for people."""
        if self.finding is not None:
            return self.finding.words
        return "values below zero" if self.value else "nothing says which"


def components_of(frames: Sequence[Frame], rules: SeriesRules) -> dict[int, Component]:
    """Return the component of each frame of a study, by the frame's identity.

    It is told by header; else by the series' name; else a series whose values reach below zero is phase-sensitive. A
    prefix or suffix that says phase-sensitive outweighs an ImageType that says magnitude for the whole series: some
    exports write M for both of a pair.
    """
    series: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:  # by names too: a SeriesInstanceUID may be missing, or the same for all
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
    """Return what ComplexImageComponent says of a frame, else its ImageType or FrameType from the third value on."""
    for words in ([facts.complex_component or ""], (facts.image_type or "").split("\\")[2:]):
        if (finding := rules.among("component", "image_type", words)) is not None:
            return finding
    return None


def _component(finding: RuleMatch | None, facts: FrameFacts) -> Component:
    if finding is not None:
        return Component(finding.value, finding)
    return Component(PSIR if facts.intercept < 0 else None)


def _graded(found: Sequence[Component], rules: SeriesRules) -> list[Component]:
    """Tell components of one value apart where a series holds several (Philips' real and corrected real images)."""
    told = {c.finding.rule for c in found if c.finding}
    if len(told) < 2:  # noqa: PLR2004 (two can differ)
        return list(found)
    in_order = [rule for rule in rules.rules if rule in told]

    def grade(component: Component) -> int:
        rule = component.finding.rule if component.finding else None
        alike = [r for r in in_order if r.value == component.value]
        return alike.index(rule) if rule in alike else 0

    return [replace(c, grade=grade(c)) for c in found]
