"""A stack is not a series: split series by kind, grid and orientation, and merge series that are one stack."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from scarnet_cli.dicom.facts import Frame
from scarnet_cli.dicom.geometry import REPEAT_TOLERANCE_MM, StackGeometry, slice_normal, stack_geometry
from scarnet_cli.dicom.kinds import grouped, new_in_each, of_one_kind, series_like
from scarnet_cli.dicom.notes import Note
from scarnet_cli.dicom.repeats import (
    UniqueFrames,
    complete,
    depths_of,
    one_a_position,
    passes,
    positions_of,
    require_told_apart,
    without_copies,
)
from scarnet_cli.dicom.series.components import Component, components_of
from scarnet_cli.dicom.series.rules import SeriesRules
from scarnet_cli.dicom.series.rules_file import built_in_rules
from scarnet_cli.errors import DicomError

# Views of the heart differ by 30 degrees and more; slices of one stack that are turned by less stay together, so that
# the stack is refused rather than cut in two.
VIEW_TOLERANCE_DEG: Final = 15.0

_REPAIRED: Final = Note(
    "orientation_repaired",
    "Row and column direction were not quite orthonormal; the nearest that are were used.",
    flag=True,
)


_REPEATED_UID: Final = Note(
    "repeated_instance_uid",
    "Several images have one SOPInstanceUID; they were told apart by place and kind.",
    flag=True,
)
_NO_FRAME: Final = Note(
    "no_frame_of_reference",
    "Slices of one series have a FrameOfReferenceUID each; they were taken to share one.",
    flag=True,
)


@dataclass(frozen=True, slots=True)
class SliceStack:
    """Slices that make one volume, or would if their geometry were sound.

    Attributes:
        frames: One frame a position, in order along the normal; in the order found where there is no geometry.
        series_uids: The series they come from, sorted.
        component_by: What its values are and how that is known; `component` for short.
        name: SeriesDescription, else ProtocolName, else empty.
        geometry: The grid; None where `problem` says why not.
        problem: Why the slices make no grid.
        most_repeats: The median number of frames at one position before the latest was taken.
        notes: Rules applied on the way.
    """

    frames: tuple[Frame, ...]
    series_uids: tuple[str, ...]
    component_by: Component
    name: str
    geometry: StackGeometry | None
    problem: DicomError | None
    most_repeats: float
    notes: tuple[Note, ...] = field(default=())

    @property
    def component(self) -> str | None:
        """What its values are: "psir", "magnitude", "other" or None."""
        return self.component_by.value

    @property
    def acquired_s(self) -> float:
        """Time of its latest frame; -1 where none is known."""
        return max((f.facts.acquired_s for f in self.frames if f.facts.acquired_s is not None), default=-1.0)


def name_of(frame: Frame) -> str:
    """Return the name of a frame's series: SeriesDescription, else ProtocolName, else an empty text."""
    return frame.facts.description or frame.facts.protocol or ""


def has_geometry(frame: Frame) -> bool:
    """Tell whether a frame says where it lies and how large its pixels are."""
    facts = frame.facts
    return bool(facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm)


def form_stacks(frames: Sequence[Frame], rules: SeriesRules | None = None) -> list[SliceStack]:
    """Return the stacks among the frames of one study: every frame is in one of them, or a repeat was taken instead.

    Args:
        frames: Frames of one study for which `has_geometry` holds.
        rules: The rules that tell a frame's component; the built-in ones by default.
    """
    unique = without_copies(frames)
    components = components_of(unique.frames, rules or built_in_rules())
    stacks: list[SliceStack] = []
    for group in of_one_kind(unique.frames, components):
        for parallel in _parallel_groups(group):
            merged = (part for whole in _merged(series_like(parallel)) for part in passes(whole))
            stacks.extend(_stack(part, components, unique) for part in merged)
    return stacks


def _parallel_groups(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Split frames by orientation: each group lies within `VIEW_TOLERANCE_DEG` of its first frame."""
    closeness = np.cos(np.radians(VIEW_TOLERANCE_DEG))
    leaders = np.empty((0, 2, 3))
    groups: list[list[Frame]] = []
    for same in grouped(frames, lambda f: f.facts.orientation):
        cosines = np.array(same[0].facts.orientation)
        axes = np.stack([cosines[:3] / max(float(np.linalg.norm(cosines[:3])), 1e-12), slice_normal(cosines)])
        close = ((axes * leaders).sum(axis=2) >= closeness).all(axis=1)
        if close.any():
            groups[int(np.argmax(close))].extend(same)
        else:
            leaders = np.concatenate([leaders, axes[None]])
            groups.append(same)
    return groups


def _merged(parts: list[list[Frame]]) -> list[list[Frame]]:
    """Merge series of one name, grid and orientation: what is no stack alone joins what it completes or repeats.

    Two complete stacks stay apart (one is a repeat of the other and a rule chooses), unless they are different series,
    share no position and continue each other evenly.
    """
    whole = sorted((p for p in parts if complete(p)), key=_start)
    rest = [p for p in parts if not complete(p)]
    if not whole:
        return [[frame for part in rest for frame in part]]
    stacks: list[list[Frame]] = []
    for part in whole:
        mate = next((s for s in stacks if _continues(s, part)), None)
        stacks.append(list(part)) if mate is None else mate.extend(part)
    left: list[Frame] = []
    for part in rest:
        mate = next((s for s in reversed(stacks) if complete([*s, *part]) or _repeats(s, part)), None)
        (left if mate is None else mate).extend(part)
    return [*stacks, left] if left else stacks


def _repeats(stack: Sequence[Frame], part: Sequence[Frame]) -> bool:
    """Tell whether every slice of a part lies at a position of the stack, or nearly so."""
    depths = depths_of([*stack, *part])
    misses = np.abs(depths[len(stack) :, None] - depths[None, : len(stack)]).min(axis=1)
    return bool(misses.max() <= REPEAT_TOLERANCE_MM)


def _start(part: Sequence[Frame]) -> tuple[float, int, str]:
    facts = part[0].facts
    return facts.acquired_s or -1.0, facts.series_number or 0, facts.series_uid or ""


def _continues(stack: Sequence[Frame], part: Sequence[Frame]) -> bool:
    if {f.facts.stack_id for f in (*stack, *part)} - {None}:
        return False  # stacks that one object itself tells apart
    both = [*stack, *part]
    distinct = len(positions_of(depths_of(stack))) + len(positions_of(depths_of(part)))
    return len(positions_of(depths_of(both))) == distinct and complete(both)


def _stack(frames: list[Frame], components: dict[int, Component], unique: UniqueFrames) -> SliceStack:
    uids = tuple(sorted({f.facts.series_uid or "" for f in frames}))
    notes: list[Note] = []
    if unique.copied & {f.facts.series_uid for f in frames}:
        notes.append(Note("duplicate_files", "Files that hold the same image twice were read once.", flag=True))
    if len(uids) > 1:
        notes.append(Note("merged_series", f"{len(uids)} series of one grid and name were merged into one stack."))
    chosen, repeats, found = one_a_position(frames)
    geometry, problem = None, None
    if new_in_each(frames):
        notes.append(_NO_FRAME)
    try:
        require_told_apart(frames)
        positions = np.array([f.facts.position_xyz_mm for f in chosen])
        geometry = stack_geometry(positions, np.array([f.facts.orientation for f in chosen]))
        chosen = [chosen[i] for i in geometry.order]
        if geometry.repaired:
            notes.append(_REPAIRED)
    except DicomError as error:
        problem = error
    if unique.shared & {f.facts.sop_uid for f in chosen}:
        notes.append(_REPEATED_UID)
    first = frames[0]
    component, name = components[id(first)], name_of(first)
    return SliceStack(tuple(chosen), uids, component, name, geometry, problem, repeats, (*notes, *found))
