"""Choose a study's LGE short-axis stack among all that it holds, and say why each series was taken or left.

Geometry decides whether slices can be a short-axis stack of the ventricle; names and header fields are the evidence
that they are one of late enhancement. Among those that qualify a written order of preference chooses: see `_rank`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from scarnet_cli.dicom.facts import MAGNITUDE, OTHER_COMPONENT, PSIR, Frame
from scarnet_cli.dicom.geometry import slice_normal
from scarnet_cli.dicom.names import LAX, LGE, SAX, read_name
from scarnet_cli.dicom.stacks import LEAST_SLICES, Note, Stack, form_stacks, has_geometry, name_of
from scarnet_cli.errors import DicomError

# Centre-to-centre spacing of short-axis stacks, with half a millimetre of slack at each end of 5 to 12 mm.
SPACING_MM: Final = (4.5, 12.5)
# Moving pictures, inversion scouts and perfusion hold more frames than this at one position; repeats of LGE fewer.
MOST_REPEATS: Final = 4.0
# Rough direction of the left ventricle's long axis in LPS, base to apex: left, forward, down. It varies by 25 degrees
# or so between people, so a stack is called short or long axis only well on one side of 50 degrees.
LONG_AXIS: Final = (0.65, -0.60, -0.47)
_SAX_BELOW_DEG: Final = 45.0
_LAX_ABOVE_DEG: Final = 60.0
# Planes nearer to each other than this are no two views of the heart, which differ by 60 to 90 degrees.
_LEAST_VIEW_ANGLE_DEG: Final = 45.0
# Inversion times of late enhancement; scouts and maps start lower, FLAIR-like sequences lie higher.
_INVERSION_MS: Final = (100.0, 700.0)
# A stack shorter than this part of the longest that qualifies is taken only when there is no better.
_SHORT_PART: Final = 0.7
# Where other evidence is weak, only a whole stack is believed.
_WHOLE_STACK: Final = 6


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """One series of a study: a row of the table `series`.

    Attributes:
        series_uid: SeriesInstanceUID.
        description: SeriesDescription.
        chosen: It is in the chosen stack.
        reason: Why it was or was not chosen, for people.
    """

    series_uid: str | None
    description: str | None
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice made for a study.

    Attributes:
        stack: The chosen stack; None where `error` says why there is none.
        series: Every series of the study.
        error: Why the study cannot be measured.
    """

    stack: Stack | None
    series: tuple[SeriesVerdict, ...]
    error: DicomError | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stack with the judgement on it.

    Attributes:
        stack: The stack.
        evidence: How well it is shown to be LGE: 2 by name, 1 by header, 0 by geometry alone, -1 not at all.
        view: How well it is shown to be short axis: 2 by name, 1 by geometry, 0 unknown, -1 it is not.
        averaged: Its name says that it is an average.
        refusal: Why it does not qualify; None where it does.
    """

    stack: Stack
    evidence: int
    view: int
    averaged: bool
    refusal: str | None


def select(frames: Sequence[Frame]) -> Selection:
    """Choose the LGE short-axis stack among all frames of one study."""
    placed = [f for f in frames if _is_picture(f) and has_geometry(f)]
    candidates = [judge(stack) for stack in form_stacks(placed)]
    fit = [c for c in candidates if c.refusal is None]
    if not any(c.evidence > 0 for c in fit) and len(fit) > 1:
        fit = []  # nothing but geometry speaks for any, and it speaks for several
    fit = [c for c in fit if c.evidence > 0] or fit
    if not fit:
        return Selection(None, _verdicts(frames, candidates, None), _refusal(frames, candidates))
    longest = max(len(c.stack.frames) for c in fit)
    ranked = sorted(fit, key=lambda c: _rank(c, longest), reverse=True)
    best = ranked[0]
    notes = (*best.stack.notes, *_choice_notes(best, ranked), *_left_out(best, candidates))
    stack = replace(best.stack, notes=notes)
    chosen = replace(best, stack=stack)
    verdicts = _verdicts(frames, [chosen if c is best else c for c in candidates], chosen)
    if stack.problem is not None:
        return Selection(None, verdicts, stack.problem)
    return Selection(stack, verdicts, None)


def _rank(candidate: Candidate, longest: int) -> tuple[Any, ...]:
    """Return the sort key of the written rule: the first difference counts, greater is better.

    Sound geometry; short axis by name and by direction; not much shorter than the longest; LGE by name, then by header;
    phase-sensitive, then magnitude, then unknown; averaged; more slices; the latest acquisition.
    """
    stack = candidate.stack
    numbers = [f.facts.series_number or 0 for f in stack.frames]
    return (
        stack.geometry is not None,
        candidate.view,
        len(stack.frames) >= _SHORT_PART * longest,
        candidate.evidence,
        {PSIR: 2, MAGNITUDE: 1}.get(stack.component or "", 0),
        candidate.averaged,
        len(stack.frames),
        stack.acquired_s,
        max(numbers),
        stack.series_uids,
    )


def judge(stack: Stack) -> Candidate:
    """Judge one stack by its geometry, its names and its header."""
    name = read_name(stack.name)
    evidence = _evidence(stack, name.kind)
    view = _view(stack, name.view)
    return Candidate(stack, evidence, view, name.averaged, _why_not(stack, name.kind, evidence, view))


def _evidence(stack: Stack, kind: str | None) -> int:
    if kind == LGE:
        return 2
    if kind is not None:
        return -1
    facts = stack.frames[0].facts
    inversion = facts.inversion_ms or 0.0
    words = set(f"{facts.image_type or ''}\\{facts.sequence or ''}".upper().replace("\\", " ").split())
    if words & {"PSIR", "M_IR", "R_IR", "CR"} or _INVERSION_MS[0] <= inversion <= _INVERSION_MS[1] or "IR" in words:
        return 1
    return 0


def axis_angle_deg(stack: Stack) -> float | None:
    """Return the angle between a stack's normal and the usual long axis of the ventricle, 0 to 90 degrees."""
    if stack.geometry is None:
        return None
    axis = np.array(LONG_AXIS) / np.linalg.norm(LONG_AXIS)
    return float(np.degrees(np.arccos(min(1.0, abs(float(stack.geometry.direction[:, 2] @ axis))))))


def _view(stack: Stack, named: str | None) -> int:
    if named == SAX:
        return 2
    angle = axis_angle_deg(stack)
    # Long-axis views come as one to three slices: a whole stack that lies oddly is only doubted.
    lies_long = angle is not None and angle >= _LAX_ABOVE_DEG and len(stack.frames) < _WHOLE_STACK
    if named == LAX or lies_long:
        return -1
    return 1 if angle is not None and angle <= _SAX_BELOW_DEG else 0


def _why_not(stack: Stack, kind: str | None, evidence: int, view: int) -> str | None:
    """Return the first reason against a stack, None where there is none."""
    count, spacing = len(stack.frames), _usual_spacing(stack)
    reasons = (
        (stack.component == OTHER_COMPONENT, "phase or imaginary images"),
        (evidence < 0, f"its name says {kind}"),
        (
            stack.most_repeats > MOST_REPEATS,
            f"{stack.most_repeats:.0f} frames at each position: moving pictures or a scout",
        ),
        (view < 0, "long axis, by its name or direction"),
        (count < LEAST_SLICES, f"{count} positions; a stack has at least {LEAST_SLICES}"),
        (
            not SPACING_MM[0] <= spacing <= SPACING_MM[1],
            f"slices {spacing:.1f} mm apart; a short-axis stack has {SPACING_MM[0]} to {SPACING_MM[1]}",
        ),
        (evidence == 0 and count < _WHOLE_STACK, "nothing in name or header says late enhancement"),
    )
    return next((words for against, words in reasons if against), None)


def _usual_spacing(stack: Stack) -> float:
    positions = np.array([f.facts.position_xyz_mm for f in stack.frames])
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    return float(np.median(steps)) if len(steps) else 0.0


def _choice_notes(best: Candidate, ranked: Sequence[Candidate]) -> list[Note]:
    notes = []
    others = [c for c in ranked if c is not best]
    if best.stack.component == PSIR and any(c.stack.component == MAGNITUDE for c in others):
        notes.append(Note("phase_sensitive_chosen", "The phase-sensitive stack was taken, not the magnitude one."))
    if best.averaged and any(not c.averaged for c in others):
        notes.append(Note("averaged_chosen", "The averaged stack was taken, not a single one."))
    if any(_twins(best, c) for c in others):
        notes.append(Note("latest_stack_chosen", "Of several complete stacks the latest was taken.", flag=True))
    if best.evidence == 1:
        notes.append(Note("lge_by_header", "Late enhancement was told by header fields, not by name.", flag=True))
    if best.evidence == 0:
        notes.append(Note("lge_unproven", "Only its geometry says that this is the LGE stack; look at it.", flag=True))
    if best.view == 0:
        notes.append(Note("view_uncertain", "Neither name nor direction shows a short axis; look at it.", flag=True))
    return notes


def _twins(a: Candidate, b: Candidate) -> bool:
    same_kind = (a.stack.component, a.averaged) == (b.stack.component, b.averaged)
    return same_kind and len(a.stack.frames) == len(b.stack.frames) and b.stack.geometry is not None


def _left_out(best: Candidate, candidates: Sequence[Candidate]) -> list[Note]:
    """Note slices of the chosen series that are no other view but lie on another grid: the stack may lack its ends."""
    odd = 0
    for other in candidates:
        same = set(other.stack.series_uids) & set(best.stack.series_uids)
        if other is best or not same or other.stack.component != best.stack.component or _twins(best, other):
            continue  # a twin is a whole stack, and has a note of its own
        a, b = (slice_normal(np.array(c.stack.frames[0].facts.orientation)) for c in (other, best))
        odd += len(other.stack.frames) if abs(a @ b) > np.cos(np.radians(_LEAST_VIEW_ANGLE_DEG)) else 0
    if not odd:
        return []
    words = f"{odd} slices of the chosen series are turned, or have another matrix, pixel size or frame: left out."
    return [Note("slices_left_out", words, flag=True)]


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
    named = [c for c in candidates if c.evidence == 2 and c.view >= 0]  # noqa: PLR2004 (LGE by name)
    hint = f" Nearest was '{named[0].stack.name}': {named[0].refusal}." if named else ""
    message = (
        f"None of the study's {len(candidates)} stacks is a short-axis stack of late enhancement.{hint} The table "
        "'series' says why each was left; if one is right, name it in its SeriesDescription or leave the study out."
    )
    return DicomError("no_lge_stack", message)


def _verdicts(
    frames: Sequence[Frame], candidates: Sequence[Candidate], best: Candidate | None
) -> tuple[SeriesVerdict, ...]:
    """Return one verdict a series; a series with several stacks gets all their reasons, the chosen one's first."""
    reasons: dict[str, list[str]] = defaultdict(list)
    chosen: set[str] = set()
    for candidate in sorted(candidates, key=lambda c: c is not best):
        words = _reason(candidate, best)
        for uid in candidate.stack.series_uids:
            if candidate is best and candidate.stack.problem is None:
                chosen.add(uid)
            if words not in reasons[uid]:
                reasons[uid].append(words)
    descriptions = {f.facts.series_uid or "": f.facts.description for f in reversed(frames)}
    for frame in frames:
        uid = frame.facts.series_uid or ""
        if not reasons[uid]:
            reasons[uid].append(_unplaced_reason(frame))
    return tuple(
        SeriesVerdict(uid or None, descriptions[uid], uid in chosen, "; ".join(reasons[uid])) for uid in sorted(reasons)
    )


def _reason(candidate: Candidate, best: Candidate | None) -> str:
    if candidate is best:
        if candidate.stack.problem is not None:
            return f"would be chosen, but: {candidate.stack.problem}"
        rules = [f"{note.code}: {note.words}" for note in candidate.stack.notes]
        return "; ".join([f"LGE short-axis stack: {_shown(candidate)}", *rules])
    if candidate.refusal is not None:
        return candidate.refusal
    if best is None:
        return "several stacks could be meant and none says late enhancement"
    better = f"'{best.stack.name}', {_shown(best)}"
    return f"{_shown(candidate)}: qualifies, but {better}, comes first by the order of preference"


def _shown(candidate: Candidate) -> str:
    component = {PSIR: "phase-sensitive", MAGNITUDE: "magnitude"}.get(candidate.stack.component or "")
    return f"{len(candidate.stack.frames)} {component + ' ' if component else ''}slices"


def _unplaced_reason(frame: Frame) -> str:
    if not _is_picture(frame):
        return f"no grey-scale MR images (modality {frame.facts.modality})"
    return "no position, orientation or pixel spacing"


__all__ = ["Candidate", "Selection", "SeriesVerdict", "axis_angle_deg", "judge", "name_of", "select"]
