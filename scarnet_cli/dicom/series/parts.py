"""Slices beyond the ends of the chosen stack: on another grid, under another name, of another component."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from scarnet_cli.dicom.series.candidates import BY_NAME, Candidate, normal_of
from scarnet_cli.dicom.stacks import VIEW_TOLERANCE_DEG
from scarnet_cli.errors import DicomError

# Slices of a stack go on where another ends if they begin this many of its spacings beyond it; nearer ones lie between
# its slices, as those of a stack that was planned anew.
_BETWEEN: Final = 0.75
_NEXT: Final = 1.5


def slices_beyond(best: Candidate, other: Candidate) -> int:
    """Return how many slices of another stack show late enhancement beyond the ends of the chosen one.

    A stack that qualifies may be of another component: a phase-sensitive stack may lack slices that its magnitude twin
    has. One that has too few slices for a stack must go on where the chosen one ends.
    """
    axis = normal_of(best.stack)
    parallel = abs(float(axis @ normal_of(other.stack))) >= np.cos(np.radians(VIEW_TOLERANCE_DEG))
    if not parallel or other.evidence < min(best.evidence, BY_NAME):
        return 0
    here, there = (np.array([f.facts.position_xyz_mm for f in c.stack.frames]) @ axis for c in (best, other))
    beyond_mm = np.maximum(here.min() - there, there - here.max())
    beyond_mm = beyond_mm[beyond_mm > _BETWEEN * best.spacing_mm]
    part = other.refusal is not None and other.refusal.code == "few_slices"
    goes_on = part and other.stack.component == best.stack.component
    near = len(beyond_mm) > 0 and beyond_mm.min() <= _NEXT * best.spacing_mm
    return len(beyond_mm) if near and (other.refusal is None or goes_on) else 0


def in_parts(best: Candidate, candidates: Sequence[Candidate]) -> DicomError | None:
    """Return the error if the chosen stack is a part of a short axis whose other part could be chosen as well."""
    others = [c for c in candidates if c is not best and _is_part(best, c)]
    if not others:
        return None
    slices = " and ".join(str(len(c.stack.frames)) for c in (best, *others))
    message = (
        f"The short axis lies in {1 + len(others)} parts of {slices} slices, one beyond the end of the other, that "
        "differ in matrix, pixel size, frame of reference, name or sequence; one alone is not the whole ventricle. "
        "If one is enough, leave the other out by a file of series rules, or out of the input."
    )
    return DicomError("stack_in_parts", message)


def _is_part(best: Candidate, other: Candidate) -> bool:
    """Tell whether most slices of an equally good stack lie beyond the ends of the chosen one."""
    alike = other.refusal is None and (other.evidence, other.stack.component) == (best.evidence, best.stack.component)
    return alike and slices_beyond(best, other) * 2 > len(other.stack.frames)  # both may hold the slice between
