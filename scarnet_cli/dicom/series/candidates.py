"""Judge one stack: whether it is late enhancement, whether it is short axis, and why it cannot be chosen, if so.

Names and header fields are evidence. A stack that the geometry contradicts is refused whatever they or a site's rules
say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import OTHER_COMPONENT, Frame
from scarnet_cli.dicom.geometry import slice_normal
from scarnet_cli.dicom.repeats import LEAST_SLICES
from scarnet_cli.dicom.series.heart_axis import HeartAxis
from scarnet_cli.dicom.series.names import LAX, LGE, SAX, NameEvidence, read_names
from scarnet_cli.dicom.series.rules import RuleMatch, SeriesRules
from scarnet_cli.dicom.stacks import SliceStack, name_of

# Centre-to-centre spacing of short-axis stacks, with half a millimetre of slack at each end of 5 to 12 mm.
SPACING_MM: Final = (4.5, 12.5)
# Cine, inversion scouts and perfusion have more frames than this at one position; repeated LGE has fewer.
MOST_REPEATS: Final = 4.0
# Inversion times of late enhancement; scouts and maps start lower, FLAIR-like sequences are higher.
INVERSION_MS: Final = (100.0, 700.0)
# If other evidence is weak, only a stack of at least this many slices is accepted.
WHOLE_STACK: Final = 6
# Limits by whether the axis is this heart's own, accurate to 10 or 15 degrees; people's usual axis is a rough guide.
_SAX_BELOW_DEG: Final = {False: 45.0, True: 30.0}
_LAX_ABOVE_DEG: Final = {False: 60.0, True: 50.0}

# Strength of the evidence that a stack is late enhancement, or short axis.
BY_SITE: Final = 3
BY_NAME: Final = 2
BY_HEADER: Final = 1  # late enhancement only
BY_DIRECTION: Final = 1  # short axis only
UNKNOWN: Final = 0
AGAINST: Final = -1


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a stack cannot be chosen.

    Attributes:
        code: One of "component", "left_by_site", "kind", "moving", "thin", "view", "few_slices", "spacing",
            "unproven".
        words: The reason, as text for people.
    """

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stack and its assessment.

    Attributes:
        stack: The stack.
        names: The evidence of its names.
        evidence: Evidence that it is LGE: `BY_SITE`, `BY_NAME`, `BY_HEADER`, `UNKNOWN` or `AGAINST`.
        evidence_words: The source of that evidence, as text for people.
        view: Evidence that it is short axis: `BY_NAME`, `BY_DIRECTION`, `UNKNOWN` or `AGAINST`.
        angle_deg: Angle between its slices' normal and `axis`.
        axis: The long axis that it was compared with.
        spacing_mm: Median distance between its neighbouring slices; 0 for a single slice.
        refusal: Why it does not qualify; None if it does.
        mendable: Whether a site's rule that takes its series by description would make it qualify.
        site: The site's rules that apply to it.
    """

    stack: SliceStack
    names: NameEvidence
    evidence: int
    evidence_words: str
    view: int
    angle_deg: float
    axis: HeartAxis
    spacing_mm: float
    refusal: Refusal | None
    mendable: bool
    site: tuple[RuleMatch, ...]


@dataclass(frozen=True, slots=True)
class _Standing:
    """The evidence for and against a stack, as in `Candidate`; `left` if a site's rule leaves it."""

    evidence: int
    words: str
    view: int
    left: bool = False


def normal_of(stack: SliceStack) -> NDArray[np.float64]:
    """Return the (3,) unit normal of a stack's first slice, in LPS."""
    return slice_normal(np.array(stack.frames[0].facts.orientation))


def usual_spacing_mm(stack: SliceStack) -> float:
    """Return the median distance between neighbouring slices in mm, 0 for a single slice."""
    positions = np.array([f.facts.position_xyz_mm for f in stack.frames])
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    return float(np.median(steps)) if len(steps) else 0.0


def witnesses(stacks: Sequence[SliceStack], rules: SeriesRules) -> list[tuple[str, NDArray[np.float64]]]:
    """Return view and (3,) unit normal (LPS) of every stack whose name states a view and that cannot itself be chosen.

    These are long-axis views of any kind, and short-axis stacks of another kind (cine, maps) or with many frames per
    position. Localisers are excluded, since they are planned before the heart's axis is known.
    """
    found = []
    for stack in stacks:
        names, facts = _names(stack, rules), stack.frames[0].facts
        evidence, _ = _evidence(stack, names, _header_kind(stack, rules))
        apart = evidence == AGAINST or stack.most_repeats > MOST_REPEATS
        shows_short = names.view == SAX and apart and len(stack.frames) >= LEAST_SLICES
        if (names.view == LAX or shows_short) and names.kind != "localiser" and facts.orientation:
            found.append((names.view or "", normal_of(stack)))
    return found


def judge(stack: SliceStack, axis: HeartAxis, rules: SeriesRules) -> Candidate:
    """Return the assessment of one stack by its geometry, its names, its header and the site's rules."""
    names, header = _names(stack, rules), _header_kind(stack, rules)
    series = named_by_site(stack.frames, rules)
    as_taken = _Standing(BY_SITE, series.words if series else "", _view(stack, names.view, axis, taken=True))
    as_is = _Standing(*_evidence(stack, names, header), _view(stack, names.view, axis, taken=False))
    standing = as_is if series is None else as_taken if series.value == "take" else replace(as_is, left=True)
    findings = (*names.findings, *filter(None, (header, series, stack.component_by.finding)))
    site = tuple(dict.fromkeys(f for f in findings if f.rule.owner == "site"))
    return Candidate(
        stack=stack,
        names=names,
        evidence=standing.evidence,
        evidence_words=standing.words,
        view=standing.view,
        angle_deg=axis.angle_deg(normal_of(stack)),
        axis=axis,
        spacing_mm=usual_spacing_mm(stack),
        refusal=_refusal(stack, names, standing, axis),
        mendable=stack.problem is None and _refusal(stack, names, as_taken, axis) is None,
        site=site,
    )


def named_by_site(frames: Sequence[Frame], rules: SeriesRules) -> RuleMatch | None:
    """Return the rule that takes or leaves the series of any of these frames by its whole name, None without one."""
    return rules.among("series", "description", sorted({name_of(frame) for frame in frames}))


def _names(stack: SliceStack, rules: SeriesRules) -> NameEvidence:
    facts = stack.frames[0].facts
    return read_names(facts.description, facts.protocol, rules)


def _header_kind(stack: SliceStack, rules: SeriesRules) -> RuleMatch | None:
    facts = stack.frames[0].facts
    types = [facts.complex_component or "", *(facts.image_type or "").split("\\")[2:]]
    sequence = (facts.sequence or "").replace("\\", " ").split()
    return rules.among("kind", "image_type", types) or rules.among("kind", "sequence", sequence)


def _evidence(stack: SliceStack, names: NameEvidence, header: RuleMatch | None) -> tuple[int, str]:
    """Return the strength of the evidence that a stack is late enhancement, and its source as text."""
    named = names.finding("kind")
    if named is not None:
        return (BY_NAME if named.value == LGE else AGAINST), f"{named.value} by {named.words}"
    if header is not None:
        return (BY_HEADER if header.value == LGE else AGAINST), f"{header.value} by {header.words}"
    inversion = stack.frames[0].facts.inversion_ms or 0.0
    if INVERSION_MS[0] <= inversion <= INVERSION_MS[1]:
        return BY_HEADER, f"lge by InversionTime {inversion:.0f} ms"
    return UNKNOWN, "nothing in name or header says late enhancement"


def _view(stack: SliceStack, named: str | None, axis: HeartAxis, *, taken: bool) -> int:
    """Return the strength of the evidence that a stack is short axis; this heart's own axis overrules any name."""
    angle = axis.angle_deg(normal_of(stack))
    # Long-axis views have one to three slices: a whole stack that is long axis by people's usual axis is only doubtful.
    lies_long = angle >= _LAX_ABOVE_DEG[axis.own] and (axis.own or len(stack.frames) < WHOLE_STACK)
    if taken or named == SAX:
        return AGAINST if lies_long and axis.own else BY_NAME
    if named in (LAX, "other") or lies_long:
        return AGAINST
    return BY_DIRECTION if angle <= _SAX_BELOW_DEG[axis.own] else UNKNOWN


def _refusal(stack: SliceStack, names: NameEvidence, standing: _Standing, axis: HeartAxis) -> Refusal | None:
    """Return the first reason against a stack, None if there is none."""
    count, spacing = len(stack.frames), usual_spacing_mm(stack)
    usual = f"a short-axis stack has {SPACING_MM[0]} to {SPACING_MM[1]}"
    reasons = (
        (stack.component == OTHER_COMPONENT, "component", "phase or imaginary images"),
        (standing.left, "left_by_site", "left by a rule of the site's file"),
        (standing.evidence == AGAINST, "kind", f"its name or header says {standing.words}"),
        (
            stack.most_repeats > MOST_REPEATS,
            "moving",
            f"{stack.most_repeats:.0f} frames at each position: moving pictures or a scout",
        ),
        (
            count >= LEAST_SLICES and spacing < SPACING_MM[0],
            "thin",
            f"slices {spacing:.1f} mm apart: a three-dimensional scan; {usual}",
        ),
        (standing.view == AGAINST, "view", _view_words(stack, names, axis)),
        (count < LEAST_SLICES, "few_slices", f"{count} positions; a stack has at least {LEAST_SLICES}"),
        (not SPACING_MM[0] <= spacing <= SPACING_MM[1], "spacing", f"slices {spacing:.1f} mm apart; {usual}"),
        (standing.evidence == UNKNOWN and count < WHOLE_STACK, "unproven", standing.words),
    )
    return next((Refusal(code, words) for against, code, words in reasons if against), None)


def _view_words(stack: SliceStack, names: NameEvidence, axis: HeartAxis) -> str:
    if names.view in (LAX, "other"):
        finding = names.finding("view")
        what = "long axis" if names.view == LAX else "not short axis"
        return f"{what}, by {finding.words}" if finding else what
    angle = axis.angle_deg(normal_of(stack))
    return f"long axis, by its direction: {angle:.0f} degrees from {axis.words}"
