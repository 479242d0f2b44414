"""Group frames that may share a stack: their headers describe one kind of image, whatever their UIDs."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache
from typing import Final

from scarnet_cli.dicom.facts import Frame, folder_of
from scarnet_cli.dicom.series.components import Component
from scarnet_cli.dicom.series.names import merged_name

# Values of ImageType that do not make another kind of image, such as filtering or distortion correction.
_SAME_PICTURE: Final = frozenset({"", "ND", "NORM", "DIS2D", "DIS3D", "FM", "FIL", "MFSPLIT", "NONE", "OTHER"})
# Echo and inversion times of one stack vary between breath-holds; those of another sequence differ more. Sorted times
# split where one exceeds the previous times the first number plus the second, in ms; sizes of pixels likewise, in mm.
_ECHO_GAP: Final = (1.5, 1.0)
_INVERSION_GAP: Final = (1.5, 50.0)
_PIXEL_GAP: Final = (1.0, 1e-3)


def grouped(frames: Iterable[Frame], key: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    """Return frames in groups that share a key, in the order in which the keys first occur."""
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return list(groups.values())


def of_one_kind(frames: Sequence[Frame], components: dict[int, Component]) -> list[list[Frame]]:
    """Return frames in groups that may form a stack: only position, time, UID and number differ within a group.

    Args:
        frames: Frames of a study.
        components: Component of each frame, by `id(frame)`.
    """
    alike = grouped(frames, lambda frame: _kind(frame, components[id(frame)]))
    by_rows = (part for group in alike for part in _apart(group, lambda f: _pixel_mm(f, 0), _PIXEL_GAP))
    by_columns = (part for group in by_rows for part in _apart(group, lambda f: _pixel_mm(f, 1), _PIXEL_GAP))
    by_echo = (part for group in by_columns for part in _apart(group, lambda f: f.facts.echo_ms, _ECHO_GAP))
    return [part for group in by_echo for part in _by_frame_of_reference(group)]


def series_like(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Return frames of one kind grouped as in their original series: by UID, stack, number, ImageType, time and folder.

    SeriesInstanceUIDs are ignored if every frame has its own.
    """
    uids = {frame.facts.series_uid for frame in frames}
    informs = len(uids) < len(frames)
    inversion = {
        id(frame): number
        for number, part in enumerate(_apart(frames, lambda f: f.facts.inversion_ms, _INVERSION_GAP))
        for frame in part
    }

    def series(frame: Frame) -> Hashable:
        facts = frame.facts
        uid = facts.series_uid if informs else None
        folder = folder_of(frame.file) if facts.frame is None else ""
        return uid, facts.stack_id, facts.series_number, facts.image_type, inversion[id(frame)], folder

    return grouped(frames, series)


def _kind(frame: Frame, component: Component) -> Hashable:
    facts = frame.facts
    return (
        component.key,
        facts.rows,
        facts.columns,
        merged_name(facts.description or ""),
        merged_name(facts.protocol or ""),
        merged_name(facts.sequence or ""),
        _picture(facts.image_type),
    )


@cache
def _picture(image_type: str | None) -> Hashable:
    return tuple(word for word in (image_type or "").upper().split("\\")[2:] if word not in _SAME_PICTURE)


def _pixel_mm(frame: Frame, axis: int) -> float | None:
    return frame.facts.spacing_yx_mm[axis] if frame.facts.spacing_yx_mm else None


def _apart(
    frames: Sequence[Frame], time_of: Callable[[Frame], float | None], gap: tuple[float, float]
) -> list[list[Frame]]:
    """Return frames in groups whose times differ by more than `gap`; frames without a time are a group of their own."""
    times = {id(frame): time_of(frame) for frame in frames}
    if len(set(times.values())) == 1:
        return [list(frames)]
    ordered = sorted({time for time in times.values() if time is not None})
    group_of: dict[float | None, int] = {None: len(ordered)}
    number = 0
    for before, time in zip([None, *ordered], ordered, strict=False):
        number += before is not None and time > before * gap[0] + gap[1]
        group_of[time] = number
    if number == 0:
        return [list(frames)]
    return grouped(frames, lambda frame: group_of[times[id(frame)]])


def _by_frame_of_reference(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Return frames grouped by FrameOfReferenceUID, or in one group if most have a UID of their own."""
    if new_in_each(frames):
        return [list(frames)]
    return grouped(frames, lambda frame: frame.facts.frame_of_reference or "")


def new_in_each(frames: Sequence[Frame]) -> bool:
    """Tell whether there are more than half as many frames of reference as frames, and at least two."""
    uids = {frame.facts.frame_of_reference for frame in frames}
    return len(uids) > 1 and len(uids) * 2 > len(frames)
