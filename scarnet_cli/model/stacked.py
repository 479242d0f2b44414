"""ScarNet and the stack network that corrects it, as one model in one weights file."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from scarnet_cli.model.scarnet import ScarNet, ScarNetOptions
from scarnet_cli.model.stack_net import StackNet, StackNetOptions


class StackedScarNet(nn.Module):
    """A network for single slices (`slices`, called by `forward`) and one for the whole stack (`stack`)."""

    def __init__(self, in_channels: int, classes: int, stack: Mapping[str, Sequence[int]], **slices: object) -> None:
        """Create both; `stack` holds fields of `StackNetOptions`, the other options are fields of `ScarNetOptions`."""
        super().__init__()
        self.slices = ScarNet(in_channels, classes, ScarNetOptions(**slices))  # type: ignore[arg-type]
        self.stack = StackNet(classes, StackNetOptions(**stack))

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the slice network's logits of (B, C, H, W) slices with their neighbours."""
        return self.slices(image)
