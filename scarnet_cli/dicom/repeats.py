"""Frames that are there twice: copies of a file, and positions that were scanned more than once."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import Frame
from scarnet_cli.dicom.geometry import POSITION_TOLERANCE_MM, REPEAT_TOLERANCE_MM, slice_normal
from scarnet_cli.dicom.notes import Note
from scarnet_cli.errors import DicomError

# Fewer slices are no stack of the ventricle.
LEAST_SLICES: Final = 4
# Repeats this near to each other are the same position, to the rounding of the numbers.
_SAME_MM: Final = 0.1


@dataclass(frozen=True, slots=True)
class UniqueFrames:
    """Frames without copies.

    Attributes:
        frames: The frames, each once.
        copied: SeriesInstanceUIDs of those that were there twice.
        shared: SOPInstanceUIDs that several images have.
    """

    frames: list[Frame]
    copied: set[str | None]
    shared: set[str]


def without_copies(frames: Sequence[Frame]) -> UniqueFrames:
    """Drop frames of files that are there twice.

    Copies have one SOPInstanceUID and are the same in everything that their headers say. A SOPInstanceUID that
    frames of different headers have is no image's name, and no frame is dropped for it.
    """
    named: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        named[frame.facts.sop_uid or id(frame), frame.facts.frame].append(frame)
    dropped: set[int] = set()
    copied: set[str | None] = set()
    shared: set[str] = set()
    for same in named.values():
        if len(same) == 1:
            continue
        if len({(f.facts._replace(study_uid=""), f.file.size) for f in same}) == 1:
            dropped.update(id(frame) for frame in same[1:])
            copied.add(same[0].facts.series_uid)
        else:
            shared.add(same[0].facts.sop_uid or "")
    return UniqueFrames([frame for frame in frames if id(frame) not in dropped], copied, shared)


def depths_of(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Return each frame's position along the usual normal of all, in mm."""
    normal = slice_normal(np.median(np.array([f.facts.orientation for f in frames]), axis=0))
    return np.array([f.facts.position_xyz_mm for f in frames]) @ normal


def positions_of(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct positions, in order: repeats within `REPEAT_TOLERANCE_MM` count once."""
    ordered = np.sort(depths)
    return ordered[np.concatenate([[True], np.diff(ordered) > REPEAT_TOLERANCE_MM])]


def complete(frames: Sequence[Frame]) -> bool:
    """Tell whether frames alone make an evenly spaced stack."""
    positions = positions_of(depths_of(frames))
    gaps = np.diff(positions)
    return len(positions) >= LEAST_SLICES and bool(np.ptp(gaps) <= POSITION_TOLERANCE_MM)


def passes(frames: list[Frame]) -> list[list[Frame]]:
    """Return the passes of a stack that was scanned again in another extent: a stack each.

    What the later one lacks is not to be filled from the earlier, which may be another kind of picture. Where all
    passes have the same positions, or the repeats are of some slices, or no times tell passes, it stays as it is.
    """
    if len({frame.facts.position_xyz_mm for frame in frames}) == len(frames):
        return [frames]
    clusters = _clusters(depths_of(frames))
    repeated = [cluster for cluster in clusters if len(cluster) > 1]
    times = [frame.facts.acquired_s for frame in frames]
    if len(repeated) * 2 <= len(clusters) or None in times:
        return [frames]
    position = {int(i): n for n, cluster in enumerate(clusters) for i in cluster}
    found: list[dict[int, Frame]] = [{}]
    for i in sorted(range(len(frames)), key=lambda i: times[i] or 0.0):
        if position[i] in found[-1]:
            found.append({})
        found[-1][position[i]] = frames[i]
    if len({frozenset(one) for one in found}) == 1:
        return [frames]
    parts = [list(one.values()) for one in found]
    return parts if all(complete(part) for part in parts) else [frames]


def one_a_position(frames: list[Frame]) -> tuple[list[Frame], float, list[Note]]:
    """Keep one frame a position: the latest acquired, or of near repeats the one that fits the even grid best.

    Returns:
        The frames; the median number of frames at a position; and what was done.
    """
    depths = depths_of(frames)
    clusters = _clusters(depths)
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
        kept.append(max((frame for frame, _ in members), key=_lateness))
    notes = []
    if repeated:
        words = f"{repeated} of {len(clusters)} positions were scanned more than once; the latest acquisition was kept."
        notes.append(Note("repeated_positions", words, flag=True))
    if near:
        words = f"{near} positions have slices up to {REPEAT_TOLERANCE_MM} mm apart; the one on the even grid was kept."
        notes.append(Note("near_duplicates", words, flag=True))
    return kept, float(np.median([len(c) for c in clusters])), notes


def require_told_apart(frames: Sequence[Frame]) -> None:
    """Require that of frames at one position a time or a number tells the latest.

    A number within a series tells it of some slices that were scanned again, not of two whole stacks: these may be two
    kinds of picture.

    Raises:
        DicomError: Nothing does.
    """
    if len(frames) == 1:
        return
    clusters = _clusters(depths_of(frames))
    repeated = [[frames[i] for i in cluster] for cluster in clusters if len(cluster) > 1]
    some = len(repeated) * 2 <= len(clusters)
    unclear = sum(not _one_is_latest(same, by_instance=some) for same in repeated)
    if not unclear and not (len(clusters) == len(frames) and _numbered_anew(frames)):
        return
    what = f"{unclear} of {len(clusters)} positions hold several pictures" if unclear else "The pictures are of stacks"
    message = (
        f"{what} that nothing tells apart (name, sequence, ImageType, times and numbers are the same or missing): "
        "which belong together is unknown. Export each series with a SeriesInstanceUID, number and time of its own."
    )
    raise DicomError("stacks_not_told_apart", message)


def _one_is_latest(frames: Sequence[Frame], *, by_instance: bool) -> bool:
    latest = max(_lateness(frame) for frame in frames)
    parts = 3 if by_instance else 2
    return sum(_lateness(frame)[:parts] == latest[:parts] for frame in frames) == 1


def _numbered_anew(frames: Sequence[Frame]) -> bool:
    """Tell whether InstanceNumber runs from its first to its last more than once in one series: these were several."""
    numbers = Counter(frame.facts.instance_number for frame in frames)
    one_series = len({(f.facts.series_uid, f.facts.stack_id) for f in frames}) == 1
    times = set(numbers.values())
    return one_series and 1 not in times and len(times) == 1 and len(numbers) >= LEAST_SLICES


def _clusters(depths: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the indices of frames position by position."""
    order = np.argsort(depths, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(depths[order]) > REPEAT_TOLERANCE_MM) + 1)


def _lateness(frame: Frame) -> tuple[float, int, int]:
    facts = frame.facts
    acquired = -1.0 if facts.acquired_s is None else facts.acquired_s
    return acquired, facts.series_number or 0, facts.instance_number or 0


def _best_fitting(members: list[tuple[Frame, float]], lone: list[float]) -> list[tuple[Frame, float]]:
    """Return the members nearest to the grid that the positions without repeats span; all where there is none."""
    if len(lone) < 2:  # noqa: PLR2004 (two positions span a grid)
        return members
    spacing = float(np.min(np.diff(lone)))
    misses = [abs((depth - lone[0] + spacing / 2) % spacing - spacing / 2) for _, depth in members]
    return [m for m, miss in zip(members, misses, strict=True) if miss <= min(misses) + _SAME_MM]
