"""Studies as facts, without files: a stack in a line, to test which one is taken of realistic mixtures."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from dicom_series import COLUMN, FIRST_MM, NORMAL, ROW, make_series
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FoundFile, Frame, FrameFacts
from scarnet_cli.dicom.headers import frame_facts
from scarnet_cli.dicom.series.rules import SeriesRules
from scarnet_cli.dicom.series.rules_file import built_in_rules, parse_rules
from scarnet_cli.dicom.series.selection import Selection, select

Axis = NDArray[np.float64]
# Row and column of the planes that a heart is scanned in; the long-axis ones hold its long axis, 60 degrees apart.
SAX = (ROW, COLUMN)
FOUR_CHAMBER = (NORMAL, ROW)
TWO_CHAMBER = (NORMAL, ROW * 0.5 + COLUMN * np.sqrt(0.75))
MAGNITUDE = "ORIGINAL\\PRIMARY\\M\\ND"


@cache
def _plain() -> FrameFacts:
    (dataset,) = make_series(1, name=None, image_type=("ORIGINAL", "PRIMARY", "OTHER"))
    return frame_facts(dataset)[0]


def turned(plane: tuple[Axis, Axis], degrees: float) -> tuple[Axis, Axis]:
    """Return a plane turned about its row."""
    normal = np.cross(*plane)
    return plane[0], plane[1] * np.cos(np.radians(degrees)) + normal * np.sin(np.radians(degrees))


def stack(
    name: str | None,
    slices: int = 9,
    *,
    plane: tuple[Axis, Axis] = SAX,
    gap_mm: float = 9.0,
    at: float = 10.0,
    phases: int = 1,
    **facts: object,
) -> list[Frame]:
    """Return the frames of one series: `at` is its time in minutes, `phases` its frames a position."""
    series_uid = facts.pop("uid", None) or f"1.2.{abs(hash((name, at, str(facts))))}"
    normal = np.cross(*plane)
    frames = []
    for i in range(slices):
        for phase in range(phases):
            one = _plain()._replace(
                series_uid=series_uid,
                sop_uid=f"{series_uid}.{i}.{phase}.{abs(hash(str(facts)))}",
                description=name,
                orientation=(*plane[0], *plane[1]),
                position_xyz_mm=tuple(FIRST_MM + normal * i * gap_mm),
                acquired_s=at * 60 + i + phase / 100,
            )
            frames.append(Frame(FoundFile(f"{series_uid}/{i}-{phase}", None, 1, 1), one._replace(**facts)))
    return frames


def cine(name: str = "cine_sax", slices: int = 9, **options: object) -> list[Frame]:
    """Return moving pictures."""
    return stack(name, slices, phases=25, image_type=MAGNITUDE, at=2.0, **options)  # type: ignore[arg-type]


def site(text: str) -> SeriesRules:
    """Return a site's rules before the built-in ones."""
    return SeriesRules((*parse_rules(text, "site"), *built_in_rules().rules))


def choice(*series: Sequence[Frame], rules: SeriesRules | None = None) -> tuple[str | None, Selection]:
    """Return the name of the stack that is taken, and the whole selection; the order of files does not matter."""
    frames = [frame for one in series for frame in one]
    selection, backward = select(frames, rules), select(frames[::-1], rules)
    assert (backward.stack and backward.stack.series_uids) == (selection.stack and selection.stack.series_uids)
    return selection.stack.name if selection.stack else None, selection


def codes(selection: Selection) -> set[str]:
    """Return the rules that were applied to the chosen stack."""
    assert selection.stack is not None, selection.error
    return {note.code for note in selection.stack.notes}


def reason(selection: Selection, name: str) -> str:
    """Return why the series of this name was taken or left."""
    return next(verdict.reason for verdict in selection.series if verdict.description == name)
