"""What a network needs to know of a pretrained image encoder."""

from torch import Tensor, nn


class ImageEncoder(nn.Module):
    """A grey picture in, tokens of many channels and finer features out.

    Attributes:
        stride: Pixels of the input along one side of a token.
        out_channels: Channels of the tokens.
        skip_channels: Channels of the finer features, coarsest first, each twice as fine as the last; may be empty.
    """

    stride: int
    out_channels: int
    skip_channels: tuple[int, ...]

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return tokens and finer features of pictures scaled to 0..1.

        Args:
            image: (B, 3, H, W), H and W multiples of `stride`.

        Returns:
            (B, out_channels, H / stride, W / stride), and one tensor for each of `skip_channels`.
        """
        raise NotImplementedError
