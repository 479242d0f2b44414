"""Stacks that go on where the chosen one ends: slices of the same heart on another grid or under another name."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scarnet_cli.dicom.geometry import REPEAT_TOLERANCE_MM
from scarnet_cli.dicom.series.candidates import BY_NAME, Candidate, normal_of
from scarnet_cli.dicom.stacks import VIEW_TOLERANCE_DEG
from scarnet_cli.errors import DicomError

# A stack goes on where another ends if the gap is at most this many of its spacings.
_NEXT: Final = 1.5


def goes_on(best: Candidate, other: Candidate) -> bool:
    """Tell whether another stack could be more slices of the chosen one: late enhancement, mostly beyond an end."""
    qualifies = other.refusal is None or other.refusal.code == "few_slices"
    alike = other.stack.component == best.stack.component and other.evidence >= min(best.evidence, BY_NAME)
    axis = normal_of(best.stack)
    parallel = abs(float(axis @ normal_of(other.stack))) >= np.cos(np.radians(VIEW_TOLERANCE_DEG))
    if not (qualifies and alike and parallel):
        return False
    here, there = (np.array([f.facts.position_xyz_mm for f in c.stack.frames]) @ axis for c in (best, other))
    beyond_mm = np.maximum(here.min() - there, there - here.max())
    mostly = np.count_nonzero(beyond_mm > REPEAT_TOLERANCE_MM) * 2 > len(there)  # both parts may hold the slice between
    return bool(mostly and beyond_mm.min() <= _NEXT * best.spacing_mm)


def in_parts(best: Candidate, candidates: Sequence[Candidate]) -> DicomError | None:
    """Return the error if the chosen stack is a part of a short axis whose other part could be chosen as well."""
    others = [c for c in candidates if c.refusal is None and c.evidence == best.evidence and goes_on(best, c)]
    if not others:
        return None
    slices = " and ".join(str(len(c.stack.frames)) for c in (best, *others))
    message = (
        f"The short axis lies in {1 + len(others)} parts of {slices} slices, one beyond the end of the other, that "
        "differ in matrix, pixel size, frame of reference, name or sequence; one alone is not the whole ventricle. "
        "If one is enough, leave the other out by a file of series rules, or out of the input."
    )
    return DicomError("stack_in_parts", message)
