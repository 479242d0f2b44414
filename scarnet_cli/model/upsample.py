"""Bilinear interpolation that keeps the precision of the features."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def resize(features: Tensor, size: Sequence[int]) -> Tensor:
    """Return (B, C, H, W) features interpolated to (B, C, *size), in their own precision.

    Mixed precision on a CPU would interpolate in fp32, and all later layers would be in fp32 too.
    """
    with torch.autocast(features.device.type, enabled=False):
        return functional.interpolate(features, list(size), mode="bilinear")
