"""Remove repeated frames: copies of files, and positions that were scanned more than once."""

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

# Fewer slices do not cover the ventricle.
LEAST_SLICES: Final = 4
# Repeats this close to each other have the same position, up to rounding.
_SAME_MM: Final = 0.1


@dataclass(frozen=True, slots=True)
class UniqueFrames:
    """Frames without copies.

    Attributes:
        frames: The frames, each once.
        copied: SeriesInstanceUIDs of frames that had copies.
        shared: SOPInstanceUIDs that several different images have.
    """

    frames: list[Frame]
    copied: set[str | None]
    shared: set[str]


def without_copies(frames: Sequence[Frame]) -> UniqueFrames:
    """Drop copies of frames.

    Copies share a SOPInstanceUID and all facts of their headers; their files may differ in size, as an archive beside
    the folder that it was unpacked to, or a compressed image beside the original. The largest plain file is kept.
    Frames that share a SOPInstanceUID but have different facts are all kept.
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
        if len({f.facts._replace(study_uid="") for f in same}) == 1:
            kept = max(same, key=lambda f: (f.file.member is None, f.file.size))
            dropped.update(id(frame) for frame in same if frame is not kept)
            copied.add(kept.facts.series_uid)
        else:
            shared.add(same[0].facts.sop_uid or "")
    return UniqueFrames([frame for frame in frames if id(frame) not in dropped], copied, shared)


def depths_of(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Return the (n,) positions of n frames along their median normal, in mm."""
    normal = slice_normal(np.median(np.array([f.facts.orientation for f in frames]), axis=0))
    return np.array([f.facts.position_xyz_mm for f in frames]) @ normal


def positions_of(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct positions in ascending order, in mm: repeats within `REPEAT_TOLERANCE_MM` count once.

    Args:
        depths: (n,) positions along the normal, in mm.
    """
    ordered = np.sort(depths)
    return ordered[np.concatenate([[True], np.diff(ordered) > REPEAT_TOLERANCE_MM])]


def complete(frames: Sequence[Frame]) -> bool:
    """Tell whether frames form an evenly spaced stack on their own."""
    positions = positions_of(depths_of(frames))
    gaps = np.diff(positions)
    return len(positions) >= LEAST_SLICES and bool(np.ptp(gaps) <= POSITION_TOLERANCE_MM)


def passes(frames: list[Frame]) -> list[list[Frame]]:
    """Split a stack that was scanned again over another extent into its passes, each a stack of its own.

    Slices that a later pass lacks are not filled from an earlier one, which may be another kind of image. The stack is
    not split if all passes have the same positions, at most half of the positions are repeated, a time is missing, or
    a pass is incomplete.
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
    """Keep one frame per position: the latest acquired, or, among near repeats, the one that fits the even grid best.

    Returns:
        The frames; the median number of frames at a position; and the rules applied.
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
    """Require that a time or number tells which of the frames at one position is the latest.

    InstanceNumber is enough if some slices were scanned again, but not for two whole stacks, which may be two kinds of
    image.

    Raises:
        DicomError: Neither does.
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
    """Tell whether every InstanceNumber of one series occurs equally often, more than once: it was several series."""
    numbers = Counter(frame.facts.instance_number for frame in frames)
    one_series = len({(f.facts.series_uid, f.facts.stack_id) for f in frames}) == 1
    times = set(numbers.values())
    return one_series and 1 not in times and len(times) == 1 and len(numbers) >= LEAST_SLICES


def _clusters(depths: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the indices of the frames at each position."""
    order = np.argsort(depths, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(depths[order]) > REPEAT_TOLERANCE_MM) + 1)


def _lateness(frame: Frame) -> tuple[float, int, int]:
    facts = frame.facts
    acquired = -1.0 if facts.acquired_s is None else facts.acquired_s
    return acquired, facts.series_number or 0, facts.instance_number or 0


def _best_fitting(members: list[tuple[Frame, float]], lone: list[float]) -> list[tuple[Frame, float]]:
    """Return the members nearest to the grid that the positions without repeats span; all if they span none."""
    if len(lone) < 2:  # noqa: PLR2004 (two positions span a grid)
        return members
    spacing = float(np.min(np.diff(lone)))
    misses = [abs((depth - lone[0] + spacing / 2) % spacing - spacing / 2) for _, depth in members]
    return [m for m, miss in zip(members, misses, strict=True) if miss <= min(misses) + _SAME_MM]
