"""Form stacks: split series by kind, grid and orientation, and merge series that make one stack."""

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

# Views of the heart differ by 30 degrees or more. Slices rotated by less stay together, so that the stack is refused
# rather than cut in two.
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
    """Slices that form one volume, or would if their geometry were sound.

    Attributes:
        frames: One frame per position, in order along the normal; in order of position if there is no geometry.
        series_uids: SeriesInstanceUIDs of the frames, sorted.
        component_by: Component of its values and how it is known.
        name: SeriesDescription, else ProtocolName, else empty.
        geometry: The grid; None if there is a `problem`.
        problem: Why the slices form no grid; None if they do.
        most_repeats: The median number of frames at one position before the latest was taken.
        notes: Rules that were applied.
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
        """Component of its values: "psir", "magnitude", "other" or None."""
        return self.component_by.value

    @property
    def acquired_s(self) -> float:
        """Acquisition time of its latest frame, in s from midnight of the study's day; -1 if none is known."""
        return max((f.facts.acquired_s for f in self.frames if f.facts.acquired_s is not None), default=-1.0)


def name_of(frame: Frame) -> str:
    """Return the name of a frame's series: SeriesDescription, else ProtocolName, else an empty string."""
    return frame.facts.description or frame.facts.protocol or ""


def has_geometry(frame: Frame) -> bool:
    """Tell whether a frame has position, orientation and pixel spacing."""
    facts = frame.facts
    return bool(facts.position_xyz_mm and facts.orientation and facts.spacing_yx_mm)


def form_stacks(frames: Sequence[Frame], rules: SeriesRules | None = None) -> list[SliceStack]:
    """Return the stacks of one study: every frame is in a stack, or is dropped as a copy or repeat.

    Args:
        frames: Frames of one study, all with geometry (`has_geometry`).
        rules: The rules that determine a frame's component; the built-in ones by default.
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
    """Split frames by orientation: each group is within `VIEW_TOLERANCE_DEG` of its first frame."""
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
    """Merge series of one name, grid and orientation: an incomplete series joins a stack that it completes or repeats.

    Two complete series stay apart, since one repeats the other and a rule chooses, unless they share no position and
    continue each other evenly.
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
    """Tell whether every slice of a part lies within `REPEAT_TOLERANCE_MM` of a slice of the stack."""
    depths = depths_of([*stack, *part])
    misses = np.abs(depths[len(stack) :, None] - depths[None, : len(stack)]).min(axis=1)
    return bool(misses.max() <= REPEAT_TOLERANCE_MM)


def _start(part: Sequence[Frame]) -> tuple[float, int, str]:
    facts = part[0].facts
    return facts.acquired_s or -1.0, facts.series_number or 0, facts.series_uid or ""


def _continues(stack: Sequence[Frame], part: Sequence[Frame]) -> bool:
    if {f.facts.stack_id for f in (*stack, *part)} - {None}:
        return False  # a multi-frame object says by StackID that they are different stacks
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
