"""ScarNet (Tavakoli 2025, doi:10.1016/j.jocmr.2025.101945): a transformer path and a U-Net path, fused by attention.

Beyond the paper: five classes; any pretrained encoder at any resolution, with its finer features, if any, as skips; the
logits of both paths in training, so that each has its own loss; a fusion that starts as the mean of both paths.
"""

from dataclasses import dataclass
from itertools import pairwise, zip_longest

import torch
from torch import Tensor, nn

from scarnet_cli.model.attention import MultiScaleScarAttention, ScarAttention, SqueezeExcitation
from scarnet_cli.model.encoders import EncoderName, build_encoder, encoder_input
from scarnet_cli.model.unet import UNet, UNetOptions
from scarnet_cli.model.upsample import resize

_DECODER_WIDTHS = (128, 64, 32)
_COLOURS = 3


@dataclass(frozen=True, slots=True)
class ScarNetOptions:
    """ScarNet's sizes.

    Attributes:
        encoder: One of `EncoderName`.
        encoder_scale: Pixels of the encoder's input per pixel of the crop, along each side.
        features: Channels of the U-Net path at full resolution.
        levels: Number of resolutions of the U-Net path.
        neighbours: Whether the encoder sees a slice and its two neighbours as colours; otherwise it sees the slice
            alone in grey, as published.
    """

    encoder: str = EncoderName.VIT_B
    encoder_scale: float = 1.0
    features: int = 64
    levels: int = 4
    neighbours: bool = False


class DecoderBlock(nn.Module):
    """Decoder step: double the size, join the skip if there is one, convolve, and weight by attention."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Create the block; `channels_in` counts the skip's channels too."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            SqueezeExcitation(channels_out),
            ScarAttention(channels_out),
        )

    def forward(self, features: Tensor, skip: Tensor | None) -> Tensor:
        """Return (B, channels_out, 2H, 2W) from features (B, ., H, W) and a skip (B, ., 2H, 2W)."""
        features = resize(features, [2 * side for side in features.shape[-2:]])
        return self.body(features if skip is None else torch.cat([features, skip], dim=1))


class TransformerPath(nn.Module):
    """Pretrained encoder, three decoder blocks, and a class head on all three together."""

    def __init__(self, classes: int, options: ScarNetOptions) -> None:
        """Create all layers."""
        super().__init__()
        self.scale, self.neighbours = options.encoder_scale, options.neighbours
        self.encoder = build_encoder(options.encoder)
        widths = (self.encoder.out_channels, *_DECODER_WIDTHS)
        skips = (*self.encoder.skip_channels, 0, 0, 0)
        self.blocks = nn.ModuleList(DecoderBlock(i + s, o) for (i, o), s in zip(pairwise(widths), skips, strict=False))
        # A 1 x 1 convolution on the three joined outputs, split into three: each part works at its own resolution, and
        # 32 channels are upsampled instead of 224. The result is the same.
        self.reduce = nn.ModuleList(nn.Conv2d(width, _DECODER_WIDTHS[-1], 1) for width in _DECODER_WIDTHS)
        self.attention = MultiScaleScarAttention(_DECODER_WIDTHS[-1])
        self.head = nn.Conv2d(_DECODER_WIDTHS[-1], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return (B, classes, H, W) logits of (B, C, H, W) images."""
        features, skips = self.encoder(
            encoder_input(image, self.scale, self.encoder.stride, neighbours=self.neighbours)
        )
        total = torch.zeros((), device=image.device)
        for block, reduce, skip in zip_longest(self.blocks, self.reduce, skips):
            features = block(features, skip)
            total = total + resize(reduce(features), image.shape[-2:])
        return self.head(self.attention(total))


class ScarNet(nn.Module):
    """Both paths over the same crop, fused, from (B, C, H, W) images to (B, classes, H, W) logits."""

    def __init__(self, in_channels: int, classes: int, options: ScarNetOptions) -> None:
        """Create all layers; `forward` creates none.

        Raises:
            ValueError: `neighbours` is set, but the input is not a slice with its two neighbours.
        """
        super().__init__()
        if options.neighbours and in_channels != _COLOURS:
            message = (
                f"An encoder that sees the neighbours needs {_COLOURS} channels, a context of 1; not {in_channels}."
            )
            raise ValueError(message)
        self.transformer = TransformerPath(classes, options)
        self.convolution = UNet(in_channels, classes, UNetOptions(options.features, options.levels, attention=True))
        self.fusion = nn.Sequential(
            nn.Conv2d(2 * classes, 2 * classes, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * classes),
            nn.ReLU(),
            nn.Conv2d(2 * classes, classes, 1),
        )
        # In the paper the result comes from the fusion alone, whose random start hides what a pretrained path knows.
        # Here the fusion corrects the paths' mean, and starts near zero.
        for parameter in self.fusion[-1].parameters():
            nn.init.normal_(parameter, std=0.01)

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the fused (B, classes, H, W) logits; in training, those of both paths too."""
        paths = (self.transformer(image), self.convolution(image))
        correction = self.fusion(torch.cat([torch.softmax(path, dim=1) for path in paths], dim=1))
        fused = (paths[0] + paths[1]) / 2 + correction
        return (fused, *paths) if self.training else fused
