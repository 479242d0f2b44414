"""Choose a study's LGE short-axis stack, and say why each series was taken or left.

Geometry decides whether slices can be a short-axis stack of the ventricle; names and header fields are evidence of late
enhancement (see `candidates`). Among the stacks that qualify, the order of preference decides (see `preference`).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from scarnet_cli.dicom.facts import MAGNITUDE, PSIR, Frame
from scarnet_cli.dicom.notes import Note
from scarnet_cli.dicom.series.candidates import (
    BY_DIRECTION,
    BY_HEADER,
    BY_NAME,
    UNKNOWN,
    Candidate,
    judge,
    named_by_site,
    normal_of,
    witnesses,
)
from scarnet_cli.dicom.series.heart_axis import heart_axis
from scarnet_cli.dicom.series.names import merged_name
from scarnet_cli.dicom.series.parts import in_parts, slices_beyond
from scarnet_cli.dicom.series.preference import ALIKE, LATER, decisive, rank
from scarnet_cli.dicom.series.rules import SeriesRules
from scarnet_cli.dicom.series.rules_file import built_in_rules
from scarnet_cli.dicom.stacks import SliceStack, form_stacks, has_geometry, name_of
from scarnet_cli.errors import DicomError

# A ProtocolName shared by at least this many differently described series is the examination's, not theirs.
_SHARED_BY: Final = 3
# Planes at a smaller angle than this show the same view of the heart; views differ by 60 to 90 degrees.
_LEAST_VIEW_ANGLE_DEG: Final = 45.0


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """The verdict on one series of a study: a row of the table `series`.

    Attributes:
        series_uid: SeriesInstanceUID.
        description: SeriesDescription.
        chosen: Whether it is in the chosen stack.
        reason: Why it was or was not chosen, as text for people.
    """

    series_uid: str | None
    description: str | None
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class StackVerdict:
    """The verdict on one stack of a study.

    Attributes:
        candidate: The stack and its assessment.
        chosen: Whether it was chosen as the study's LGE short-axis stack.
        reason: Why it was or was not chosen, as text for people.
    """

    candidate: Candidate
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice made for a study.

    Attributes:
        stack: The chosen stack; None if there is an `error`.
        series: The verdict on every series of the study.
        error: Why the study cannot be measured; None if it can.
        decisions: The verdict on every stack: those that qualify in order of preference, then the others.
    """

    stack: SliceStack | None
    series: tuple[SeriesVerdict, ...]
    error: DicomError | None
    decisions: tuple[StackVerdict, ...] = ()


def select(frames: Sequence[Frame], rules: SeriesRules | None = None) -> Selection:
    """Choose the LGE short-axis stack among all frames of one study, by default with the built-in rules."""
    rules = rules or built_in_rules()
    placed = [f for f in _without_exam_protocol(frames) if _is_picture(f) and has_geometry(f)]
    left = [f for f in placed if _is_left(f, rules)]  # kept apart, so that they do not join the stacks of other series
    stacks = [*form_stacks([f for f in placed if not _is_left(f, rules)], rules), *form_stacks(left, rules)]
    axis = heart_axis(witnesses(stacks, rules))
    candidates = [judge(stack, axis, rules) for stack in stacks]
    fit = [c for c in candidates if c.refusal is None]
    if not any(c.evidence > UNKNOWN for c in fit) and len(fit) > 1:
        fit = []  # the only evidence is geometry, which fits several stacks
    fit = [c for c in fit if c.evidence > UNKNOWN] or fit
    longest = max((len(c.stack.frames) for c in fit), default=0)
    ranked = sorted(fit, key=lambda c: (rank(c, longest), c.stack.series_uids), reverse=True)
    rest = [c for c in candidates if not any(c is r for r in ranked)]
    rest.sort(key=lambda c: (-(c.refusal is None), -c.evidence, -c.view, c.stack.name, c.stack.series_uids))
    best = None
    if ranked:
        notes = (*_choice_notes(ranked, longest), *_left_out(ranked[0], candidates, longest))
        best = replace(ranked[0], stack=replace(ranked[0].stack, notes=(*ranked[0].stack.notes, *notes)))
        ranked[0] = best
    problem = _problem(best, ranked, longest) if best else _refusal(frames, candidates)
    decisions = tuple(
        StackVerdict(c, c is best and problem is None, _reason(c, best, longest)) for c in (*ranked, *rest)
    )
    return Selection(best.stack if best and problem is None else None, _verdicts(frames, decisions), problem, decisions)


def chooser(rules: SeriesRules) -> Callable[[Sequence[Frame]], Selection]:
    """Return `select` with these rules."""
    return partial(select, rules=rules)


def _without_exam_protocol(frames: Sequence[Frame]) -> list[Frame]:
    """Drop a ProtocolName that belongs to the whole examination and so says nothing about one series.

    Siemens and Philips give each series its own, GE may give all series the same ("cardiac viability").
    """
    described: dict[str, set[str]] = defaultdict(set)
    for frame in frames:
        if frame.facts.protocol and frame.facts.description:
            described[frame.facts.protocol].add(frame.facts.description)
    if len(described) != 1 or len(next(iter(described.values()))) < _SHARED_BY:
        return list(frames)
    return [f._replace(facts=f.facts._replace(protocol=None)) if f.facts.description else f for f in frames]


def _is_left(frame: Frame, rules: SeriesRules) -> bool:
    found = named_by_site([frame], rules)
    return found is not None and found.value == "leave"


def _choice_notes(ranked: Sequence[Candidate], longest: int) -> list[Note]:
    notes = []
    best, *others = ranked
    if best.stack.component == PSIR and any(c.stack.component == MAGNITUDE for c in others):
        notes.append(Note("phase_sensitive_chosen", "The phase-sensitive stack was taken, not the magnitude one."))
    if best.names.averaged and any(not c.names.averaged for c in others):
        notes.append(Note("averaged_chosen", "The averaged stack was taken, not a single one."))
    if any(_twins(best, c, longest) for c in others):
        notes.append(Note("latest_stack_chosen", "Of several complete stacks the latest was taken.", flag=True))
    if best.evidence == BY_HEADER:
        notes.append(Note("lge_by_header", "Late enhancement was told by header fields, not by name.", flag=True))
    if best.evidence == UNKNOWN:
        notes.append(Note("lge_unproven", "Only its geometry says that this is the LGE stack; look at it.", flag=True))
    if best.view == BY_DIRECTION:
        words = f"Short axis was told by direction: {best.angle_deg:.0f} degrees from {best.axis.words}."
        notes.append(Note("view_by_direction", words))
    if best.view == UNKNOWN:
        notes.append(Note("view_uncertain", "Neither name nor direction shows a short axis; look at it.", flag=True))
    if best.site:
        told = ", ".join(f"{found.rule.says} {found.value}" for found in best.site)
        notes.append(Note("site_rule", f"Rules of the site's file were applied: {told}."))
    return notes


def _twins(best: Candidate, other: Candidate, longest: int) -> bool:
    """Tell whether only time, number of slices or series number decides between two stacks, or nothing does."""
    return other.stack.geometry is not None and decisive(best, other, longest) in {*LATER, ALIKE}


def _left_out(best: Candidate, candidates: Sequence[Candidate], longest: int) -> list[Note]:
    """Note slices on another grid of the chosen series, and others beyond its ends: the stack may lack its ends."""
    odd = sum(
        len(other.stack.frames) if _of_its_series(best, other, longest) else slices_beyond(best, other)
        for other in candidates
        if other is not best and not _twins(best, other, longest)  # a twin is a whole stack with its own note
    )
    if not odd:
        return []
    words = f"{odd} more slices are turned, or have another matrix, pixel size, frame, name or component: left out."
    return [Note("slices_left_out", words, flag=True)]


def _of_its_series(best: Candidate, other: Candidate, longest: int) -> bool:
    """Tell whether slices of the chosen series show the same view on another grid."""
    same = set(other.stack.series_uids) & set(best.stack.series_uids)
    if not same or _kind(other.stack) != _kind(best.stack):
        return False
    a, b = (normal_of(c.stack) for c in (other, best))
    return bool(abs(a @ b) > np.cos(np.radians(_LEAST_VIEW_ANGLE_DEG)))


def _kind(stack: SliceStack) -> Hashable:
    return stack.component_by.key, merged_name(stack.name)


def _problem(best: Candidate, ranked: Sequence[Candidate], longest: int) -> DicomError | None:
    return best.stack.problem or in_parts(best, ranked) or _not_told_apart(ranked, longest)


def _not_told_apart(ranked: Sequence[Candidate], longest: int) -> DicomError | None:
    """Return the error if another stack equals the best one in every criterion of the order, else None."""
    best, *others = ranked
    same = [c for c in others if c.stack.geometry is not None and decisive(best, c, longest) == ALIKE]
    if not same:
        return None
    message = (
        f"{1 + len(same)} stacks of {len(best.stack.frames)} slices ('{best.stack.name}') could be meant, and neither "
        "name, kind, time nor SeriesNumber tells which: a SeriesInstanceUID alone is no reason to take one. Export "
        "the study with its times and numbers, or leave one of them out."
    )
    return DicomError("stacks_not_told_apart", message)


def _is_picture(frame: Frame) -> bool:
    return frame.facts.modality in ("MR", None) and (frame.facts.samples or 1) == 1


def _refusal(frames: Sequence[Frame], candidates: Sequence[Candidate]) -> DicomError:
    pictures = [f for f in frames if _is_picture(f)]
    if not pictures:
        found = ", ".join(sorted({f.facts.modality or "?" for f in frames})) or "none"
        message = f"The study holds no MR images (modalities: {found}); leave it out of the input."
        return DicomError("no_mr_images", message)
    if not candidates:
        message = "No image says where it lies (position, orientation, pixel spacing); export the study with them."
        return DicomError("no_geometry", message)
    named = [c for c in candidates if c.evidence >= BY_NAME and c.view >= UNKNOWN and c.refusal]
    hint = f" Nearest was '{named[0].stack.name}': {named[0].refusal.words}." if named and named[0].refusal else ""
    message = (
        f"None of the study's {len(candidates)} stacks is a short-axis stack of late enhancement.{hint} The table "
        "'series' says why each was left; if one is right, name it in a file of series rules or leave the study out."
    )
    return DicomError("no_lge_stack", message)


def _verdicts(frames: Sequence[Frame], decisions: Sequence[StackVerdict]) -> tuple[SeriesVerdict, ...]:
    """Return one verdict per series: the reasons of all its stacks, those and the rules of the chosen one first."""
    reasons: dict[str, list[str]] = defaultdict(list)
    chosen: set[str] = set()
    for decision in decisions:
        stack = decision.candidate.stack
        rules = [f"{note.code}: {note.words}" for note in stack.notes] if decision.chosen else []
        chosen.update(stack.series_uids if decision.chosen else ())
        for uid in stack.series_uids:
            reasons[uid].extend(words for words in (decision.reason, *rules) if words not in reasons[uid])
    descriptions = {f.facts.series_uid or "": f.facts.description for f in reversed(frames)}
    for frame in frames:
        uid = frame.facts.series_uid or ""
        if not reasons[uid]:
            reasons[uid].append(_unplaced_reason(frame))
    return tuple(
        SeriesVerdict(uid or None, descriptions[uid], uid in chosen, "; ".join(reasons[uid])) for uid in sorted(reasons)
    )


def _reason(candidate: Candidate, best: Candidate | None, longest: int) -> str:
    if candidate is best:
        if candidate.stack.problem is not None:
            return f"would be chosen, but: {candidate.stack.problem}"
        return f"LGE short-axis stack: {_shown(candidate)}"
    if candidate.refusal is not None:
        return candidate.refusal.words
    if best is None:
        return "several stacks could be meant and none says late enhancement"
    better = f"'{best.stack.name}', {_shown(best)}"
    if candidate.evidence == UNKNOWN < best.evidence:
        return f"nothing in name or header says late enhancement, as it does of {better}"
    why = decisive(best, candidate, longest)
    return f"{_shown(candidate)}: qualifies, but {better}, comes first by the order of preference: {why}"


def _shown(candidate: Candidate) -> str:
    component = {PSIR: "phase-sensitive", MAGNITUDE: "magnitude"}.get(candidate.stack.component or "")
    return f"{len(candidate.stack.frames)} {component + ' ' if component else ''}slices"


def _unplaced_reason(frame: Frame) -> str:
    if not _is_picture(frame):
        return f"no grey-scale MR images (modality {frame.facts.modality})"
    return "no position, orientation or pixel spacing"


__all__ = ["Selection", "SeriesVerdict", "StackVerdict", "chooser", "name_of", "select"]
