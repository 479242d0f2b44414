"""Rank the stacks that qualify by the order of preference in docs/dicom.md, criterion by criterion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from scarnet_cli.dicom.facts import MAGNITUDE, PSIR
from scarnet_cli.dicom.series.candidates import BY_NAME, UNKNOWN, Candidate

# A stack with fewer slices than this fraction of the longest that qualifies comes after longer ones.
_SHORT_PART: Final = 0.7
# A stack counts as complete with up to this many slices fewer than the longest.
_SLICES_SPARED: Final = 1


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of the order of preference.

    Attributes:
        words: Why a stack that is better by it comes first.
        of: Function of a candidate and the number of slices of the longest stack; a greater value is better.
    """

    words: str
    of: Callable[[Candidate, int], Any]


# The text of the criterion that chooses between equally good stacks.
BY_TIME: Final = "the latest acquisition comes first"

ORDER: Final = (
    Criterion("its slices make an even grid", lambda c, _: c.stack.geometry is not None),
    Criterion("a site's rule names it", lambda c, _: max(c.evidence, BY_NAME)),
    Criterion("it is shown to be short axis", lambda c, _: c.view > UNKNOWN),
    Criterion("it is not much shorter than the longest", lambda c, most: len(c.stack.frames) >= _SHORT_PART * most),
    Criterion("late enhancement is better shown", lambda c, _: c.evidence),
    Criterion(
        "phase-sensitive comes before magnitude", lambda c, _: {PSIR: 2, MAGNITUDE: 1}.get(c.stack.component or "", 0)
    ),
    Criterion("the corrected real image comes before the real one", lambda c, _: -c.stack.component_by.grade),
    Criterion("averaged comes before single", lambda c, _: c.names.averaged),
    Criterion("filtered comes before its uncorrected copy", lambda c, _: not c.names.uncorrected),
    Criterion("it is named short axis", lambda c, _: c.view),
    Criterion("it is complete", lambda c, most: len(c.stack.frames) >= most - _SLICES_SPARED),
    Criterion(BY_TIME, lambda c, _: c.stack.acquired_s),
    Criterion("it has more slices", lambda c, _: len(c.stack.frames)),
    Criterion("its series number is higher", lambda c, _: max(f.facts.series_number or 0 for f in c.stack.frames)),
)
# The criteria that choose between equally good stacks.
LATER: Final = frozenset(criterion.words for criterion in ORDER[-3:])
ALIKE: Final = "nothing tells which of them is the one"


def rank(candidate: Candidate, longest: int) -> tuple[Any, ...]:
    """Return the sort key of the order of preference: the first difference decides, greater is better."""
    return tuple(criterion.of(candidate, longest) for criterion in ORDER)


def decisive(best: Candidate, other: Candidate, longest: int) -> str:
    """Return the text of the first criterion by which two stacks differ, `ALIKE` if there is none."""
    differing = (c.words for c in ORDER if c.of(best, longest) != c.of(other, longest))
    return next(differing, ALIKE)
