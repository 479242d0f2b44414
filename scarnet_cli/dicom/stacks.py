"""A stack is not a series: split series by component, grid and orientation, and merge series that are one stack."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import Frame
from scarnet_cli.dicom.geometry import (
    POSITION_TOLERANCE_MM,
    REPEAT_TOLERANCE_MM,
    StackGeometry,
    slice_normal,
    stack_geometry,
)
from scarnet_cli.dicom.series.components import Component, components_of
from scarnet_cli.dicom.series.names import merged_name
from scarnet_cli.dicom.series.rules import SeriesRules
from scarnet_cli.dicom.series.rules_file import built_in_rules
from scarnet_cli.errors import DicomError

# Views of the heart differ by 30 degrees and more; slices of one stack that are turned by less stay together, so that
# the stack is refused rather than cut in two.
VIEW_TOLERANCE_DEG: Final = 15.0
# Fewer slices are no stack of the ventricle.
LEAST_SLICES: Final = 4
# Repeats this near to each other are the same position, to the rounding of the numbers.
_SAME_MM: Final = 0.1


@dataclass(frozen=True, slots=True)
class Note:
    """A rule that was applied, for programs and for people.

    Attributes:
        code: Short word.
        words: What was done.
        flag: It is something that a reader of the result should know.
    """

    code: str
    words: str
    flag: bool = False


_REPAIRED: Final = Note(
    "orientation_repaired",
    "Row and column direction were not quite orthonormal; the nearest that are were used.",
    flag=True,
)


@dataclass(frozen=True, slots=True)
class Stack:
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


def form_stacks(frames: Sequence[Frame], rules: SeriesRules | None = None) -> list[Stack]:
    """Return the stacks among the frames of one study: every frame is in one of them, or a repeat was taken instead.

    Args:
        frames: Frames of one study for which `has_geometry` holds.
        rules: The rules that tell a frame's component; the built-in ones by default.
    """
    unique, copies = _without_copies(frames)
    components = components_of(unique, rules or built_in_rules())
    stacks: list[Stack] = []
    for group in _grouped(unique, lambda f: _grid_key(f, components)):
        for parallel in _parallel_groups(group):
            parts = _grouped(parallel, lambda f: (f.facts.series_uid, f.facts.stack_id))
            for names in _grouped_parts(parts):
                stacks.extend(_stack(part, components, copies) for part in _merged(names))
    return stacks


def _grid_key(frame: Frame, components: dict[int, Component]) -> Hashable:
    facts = frame.facts
    spacing = tuple(round(s, 3) for s in facts.spacing_yx_mm or ())
    return facts.frame_of_reference or "", components[id(frame)].key, facts.rows, facts.columns, spacing


def _grouped(frames: Iterable[Frame], key: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return list(groups.values())


def _grouped_parts(parts: list[list[Frame]]) -> list[list[list[Frame]]]:
    groups: dict[str, list[list[Frame]]] = defaultdict(list)
    for part in parts:
        groups[merged_name(name_of(part[0]))].append(part)
    return list(groups.values())


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], set[str | None]]:
    """Drop frames that are the same instance at the same place; return the rest and the series that had some."""
    seen: dict[Hashable, Frame] = {}
    copies: set[str | None] = set()
    for frame in frames:
        facts = frame.facts
        key = (facts.series_uid, facts.sop_uid or id(frame), facts.frame, facts.position_xyz_mm, facts.acquired_s)
        if seen.setdefault(key, frame) is not frame:
            copies.add(facts.series_uid)
    return list(seen.values()), copies


def _parallel_groups(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Split frames by orientation: each group lies within `VIEW_TOLERANCE_DEG` of its first frame."""
    closeness = np.cos(np.radians(VIEW_TOLERANCE_DEG))
    leaders = np.empty((0, 2, 3))
    groups: list[list[Frame]] = []
    for same in _grouped(frames, lambda f: f.facts.orientation):
        cosines = np.array(same[0].facts.orientation)
        axes = np.stack([cosines[:3] / max(float(np.linalg.norm(cosines[:3])), 1e-12), slice_normal(cosines)])
        close = ((axes * leaders).sum(axis=2) >= closeness).all(axis=1)
        if close.any():
            groups[int(np.argmax(close))].extend(same)
        else:
            leaders = np.concatenate([leaders, axes[None]])
            groups.append(same)
    return groups


def _depths(frames: Sequence[Frame]) -> NDArray[np.float64]:
    normal = slice_normal(np.median(np.array([f.facts.orientation for f in frames]), axis=0))
    return np.array([f.facts.position_xyz_mm for f in frames]) @ normal


def _positions(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct positions, in order: repeats within `REPEAT_TOLERANCE_MM` count once."""
    ordered = np.sort(depths)
    return ordered[np.concatenate([[True], np.diff(ordered) > REPEAT_TOLERANCE_MM])]


def _complete(frames: Sequence[Frame]) -> bool:
    """Tell whether frames alone make an evenly spaced stack."""
    positions = _positions(_depths(frames))
    gaps = np.diff(positions)
    return len(positions) >= LEAST_SLICES and bool(np.ptp(gaps) <= POSITION_TOLERANCE_MM)


def _merged(parts: list[list[Frame]]) -> list[list[Frame]]:
    """Merge series of one name, grid and orientation: what is no stack alone joins what it completes or repeats.

    Two complete stacks stay apart (one is a repeat of the other and a rule chooses), unless they are different series,
    share no position and continue each other evenly.
    """
    whole = sorted((p for p in parts if _complete(p)), key=_start)
    rest = [p for p in parts if not _complete(p)]
    if not whole:
        return [[frame for part in rest for frame in part]]
    stacks: list[list[Frame]] = []
    for part in whole:
        mate = next((s for s in stacks if _continues(s, part)), None)
        stacks.append(list(part)) if mate is None else mate.extend(part)
    left: list[Frame] = []
    for part in rest:
        mate = next((s for s in reversed(stacks) if _complete([*s, *part]) or _repeats(s, part)), None)
        (left if mate is None else mate).extend(part)
    return [*stacks, left] if left else stacks


def _repeats(stack: Sequence[Frame], part: Sequence[Frame]) -> bool:
    """Tell whether every slice of a part lies at a position of the stack, or nearly so."""
    depths = _depths([*stack, *part])
    misses = np.abs(depths[len(stack) :, None] - depths[None, : len(stack)]).min(axis=1)
    return bool(misses.max() <= REPEAT_TOLERANCE_MM)


def _start(part: Sequence[Frame]) -> tuple[float, int, str]:
    facts = part[0].facts
    return facts.acquired_s or -1.0, facts.series_number or 0, facts.series_uid or ""


def _continues(stack: Sequence[Frame], part: Sequence[Frame]) -> bool:
    if {f.facts.series_uid for f in stack} & {f.facts.series_uid for f in part}:
        return False  # stacks that one object itself tells apart, by StackID
    both = [*stack, *part]
    distinct = len(_positions(_depths(stack))) + len(_positions(_depths(part)))
    return len(_positions(_depths(both))) == distinct and _complete(both)


def _stack(frames: list[Frame], components: dict[int, Component], copies: set[str | None]) -> Stack:
    uids = tuple(sorted({f.facts.series_uid or "" for f in frames}))
    notes: list[Note] = []
    if copies & {f.facts.series_uid for f in frames}:
        notes.append(Note("duplicate_files", "Files that hold the same image twice were read once.", flag=True))
    if len(uids) > 1:
        notes.append(Note("merged_series", f"{len(uids)} series of one grid and name were merged into one stack."))
    chosen, repeats, found = _one_a_position(frames)
    geometry, problem = None, None
    try:
        positions = np.array([f.facts.position_xyz_mm for f in chosen])
        geometry = stack_geometry(positions, np.array([f.facts.orientation for f in chosen]))
        chosen = [chosen[i] for i in geometry.order]
        if geometry.repaired:
            notes.append(_REPAIRED)
    except DicomError as error:
        problem = error
    first = frames[0]
    component, name = components[id(first)], name_of(first)
    return Stack(tuple(chosen), uids, component, name, geometry, problem, repeats, (*notes, *found))


def _one_a_position(frames: list[Frame]) -> tuple[list[Frame], float, list[Note]]:
    """Keep one frame a position: the latest acquired, or of near repeats the one that fits the even grid best."""
    depths = _depths(frames)
    order = np.argsort(depths, kind="stable")
    breaks = np.flatnonzero(np.diff(depths[order]) > REPEAT_TOLERANCE_MM) + 1
    clusters = np.split(order, breaks)
    lone = [float(depths[c].mean()) for c in clusters if len(c) == 1]
    kept: list[Frame] = []
    repeated, near = 0, 0
    for cluster in clusters:
        members = [(frames[i], float(depths[i])) for i in cluster]
        if np.ptp(depths[cluster]) > _SAME_MM:
            near += 1
            members = _best_fitting(members, lone)
        elif len(cluster) > 1:
            repeated += 1
        kept.append(max(members, key=lambda m: _lateness(m[0]))[0])
    notes = []
    if repeated:
        words = f"{repeated} of {len(clusters)} positions were scanned more than once; the latest acquisition was kept."
        notes.append(Note("repeated_positions", words, flag=True))
    if near:
        words = f"{near} positions have slices up to {REPEAT_TOLERANCE_MM} mm apart; the one on the even grid was kept."
        notes.append(Note("near_duplicates", words, flag=True))
    return kept, float(np.median([len(c) for c in clusters])), notes


def _lateness(frame: Frame) -> tuple[float, int, int, str]:
    facts = frame.facts
    acquired = -1.0 if facts.acquired_s is None else facts.acquired_s
    return acquired, facts.series_number or 0, facts.instance_number or 0, facts.sop_uid or ""


def _best_fitting(members: list[tuple[Frame, float]], lone: list[float]) -> list[tuple[Frame, float]]:
    """Return the members nearest to the grid that the positions without repeats span; all where there is none."""
    if len(lone) < 2:  # noqa: PLR2004 (two positions span a grid)
        return members
    spacing = float(np.min(np.diff(lone)))
    misses = [abs((depth - lone[0] + spacing / 2) % spacing - spacing / 2) for _, depth in members]
    return [m for m, miss in zip(members, misses, strict=True) if miss <= min(misses) + _SAME_MM]
