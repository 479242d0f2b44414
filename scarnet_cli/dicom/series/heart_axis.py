"""Estimate this heart's long axis from the study's other series: normal to short-axis planes, within long-axis ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.dicom.series.names import SAX

# Rough direction of the left ventricle's long axis in LPS, base to apex: left, forward, down. It varies by about 25
# degrees between people, so a stack is called short or long axis only well away from 50 degrees.
USUAL_AXIS: Final = (0.65, -0.60, -0.47)
# The least gap between the two greatest eigenvalues. One short-axis stack gives 1, two long-axis views 60 degrees apart
# 0.25, parallel long-axis views 0.
_LEAST_AGREEMENT: Final = 0.2


@dataclass(frozen=True, slots=True)
class HeartAxis:
    """A ventricle's long axis.

    Attributes:
        direction: (3,) unit vector in LPS, of either sign.
        witnesses: Number of the study's series that it was estimated from; 0 for people's usual direction.
    """

    direction: NDArray[np.float64]
    witnesses: int

    @property
    def own(self) -> bool:
        """Whether it is this heart's own axis and not people's usual one."""
        return self.witnesses > 0

    @property
    def words(self) -> str:
        """The source of the axis, as text for people."""
        count = f"{self.witnesses} other series show" if self.witnesses > 1 else "another series shows"
        return f"the long axis that {count}" if self.own else "the usual long axis"

    def angle_deg(self, normal: NDArray[np.float64]) -> float:
        """Return the angle between the axis and a plane's (3,) unit normal (LPS), 0 (short axis) to 90 degrees."""
        return float(np.degrees(np.arccos(min(1.0, abs(float(normal @ self.direction))))))


def heart_axis(witnesses: Sequence[tuple[str, NDArray[np.float64]]]) -> HeartAxis:
    """Return the axis nearest to the normals of short-axis planes and farthest from those of long-axis planes.

    It is the eigenvector of the greatest eigenvalue of the sum of n n^T over short-axis minus that over long-axis
    normals n.

    Args:
        witnesses: View ("sax" or "lax") and (3,) unit normal in LPS of each series that shows a view and cannot be
            chosen itself.

    Returns:
        The axis; people's usual one if the witnesses are too few or contradict each other.
    """
    usual = HeartAxis(np.array(USUAL_AXIS) / np.linalg.norm(USUAL_AXIS), 0)
    if not witnesses:
        return usual
    signs = np.array([1.0 if view == SAX else -1.0 for view, _ in witnesses])
    normals = np.stack([normal for _, normal in witnesses])
    values, vectors = np.linalg.eigh(np.einsum("i,ij,ik->jk", signs, normals, normals) / len(witnesses))
    if values[2] - values[1] < _LEAST_AGREEMENT:
        return usual
    return HeartAxis(vectors[:, 2], len(witnesses))
