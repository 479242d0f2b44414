"""Interface of a pretrained image encoder."""

from torch import Tensor, nn


class ImageEncoder(nn.Module):
    """A network from images to tokens and finer features.

    Attributes:
        stride: Pixels of the input along one side of a token.
        out_channels: Channels of the tokens.
        skip_channels: Channels of the finer features, coarsest first, each twice as fine as the one before; may be
            empty.
    """

    stride: int
    out_channels: int
    skip_channels: tuple[int, ...]

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the tokens and finer features of images scaled to 0..1.

        Args:
            image: (B, 3, H, W), H and W multiples of `stride`.

        Returns:
            Tokens, (B, out_channels, H / stride, W / stride), and one tensor for each of `skip_channels`.
        """
        raise NotImplementedError
