"""TinyViT as LiteMedSAM trained it: an image encoder with local convolutions and windowed self-attention.

Architecture: Wu 2022 (doi:10.1007/978-3-031-19803-8_5), 5 million parameters, with LiteMedSAM's changes: the patch
embedding keeps the resolution, the last stage does not halve it, and SAM's neck follows. Parameters are named as in
LiteMedSAM's checkpoint, which loads unchanged. Windows are padded, so the input's sides may be any multiples of 4.
"""

import itertools
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from scarnet_cli.model.image_encoder import ImageEncoder

_WIDTHS: Final = (64, 128, 160, 320)
_DEPTHS: Final = (2, 2, 6, 2)
_WINDOWS: Final = (7, 7, 14, 7)
_STRIDES: Final = (2, 2, 1)  # between the stages
_HEAD_CHANNELS: Final = 32
_EXPANSION: Final = 4


class ConvolutionNorm(nn.Module):
    """A convolution without bias and its batch norm, whose statistics stay those of pretraining.

    Batches of a few crops would spoil them, and with constant ones the norm merges into the convolution's weights.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        """Create both; padding keeps the size if the stride is 1."""
        super().__init__()
        self.c = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, channels_out, H / stride, W / stride) features of (B, channels_in, H, W)."""
        scale = self.bn.weight * torch.rsqrt(self.bn.get_buffer("running_var") + self.bn.eps)
        shift = self.bn.bias - scale * self.bn.get_buffer("running_mean")
        kernel = self.c.weight * scale[:, None, None, None]
        return functional.conv2d(features, kernel, shift, self.c.stride, self.c.padding, groups=self.c.groups)


class InvertedBottleneck(nn.Module):
    """MBConv block: widen, convolve each channel on its own, narrow, and add the input."""

    def __init__(self, channels: int) -> None:
        """Create the three convolutions."""
        super().__init__()
        wide = channels * _EXPANSION
        self.conv1 = ConvolutionNorm(channels, wide)
        self.conv2 = ConvolutionNorm(wide, wide, kernel=3, groups=wide)
        self.conv3 = ConvolutionNorm(wide, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, H, W)."""
        wide = functional.gelu(self.conv2(functional.gelu(self.conv1(features))))
        return functional.gelu(self.conv3(wide) + features)


class Downsampling(nn.Module):
    """Step between two stages that changes the number of channels and, if the stride is 2, halves height and width."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        """Create the three convolutions."""
        super().__init__()
        self.conv1 = ConvolutionNorm(channels_in, channels_out)
        self.conv2 = ConvolutionNorm(channels_out, channels_out, kernel=3, stride=stride, groups=channels_out)
        self.conv3 = ConvolutionNorm(channels_out, channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, channels_out, H / stride, W / stride) features of (B, channels_in, H, W)."""
        return self.conv3(functional.gelu(self.conv2(functional.gelu(self.conv1(features)))))


class WindowAttention(nn.Module):
    """Self-attention within one window, with a learned bias for each distance along rows and columns."""

    def __init__(self, channels: int, window: int) -> None:
        """Create the projections and the table of biases, for windows of at most `window` x `window` tokens."""
        super().__init__()
        self.window = window
        self.heads = channels // _HEAD_CHANNELS
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.attention_biases = nn.Parameter(torch.zeros(self.heads, window * window))

    def forward(self, tokens: Tensor, side: int) -> Tensor:
        """Return tokens of the same shape, (windows, side * side, C)."""
        windows, number, channels = tokens.shape
        # The checkpoint stores query, key and value of each head side by side.
        qkv = self.qkv(self.norm(tokens)).view(windows, number, self.heads, 3 * _HEAD_CHANNELS)
        query, key, value = qkv.transpose(1, 2).split(_HEAD_CHANNELS, dim=3)
        bias = self.attention_biases[:, self._distances(side)].to(query.dtype)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.proj(mixed.transpose(1, 2).reshape(windows, number, channels))

    def _distances(self, side: int) -> Tensor:
        """Return the index of the bias for each pair of tokens, (side * side, side * side)."""
        line = torch.arange(side, device=self.attention_biases.device)
        rows, columns = line.repeat_interleave(side), line.repeat(side)
        return (rows[:, None] - rows).abs() * self.window + (columns[:, None] - columns).abs()


class Perceptron(nn.Module):
    """Two linear layers with four times as many channels between them."""

    def __init__(self, channels: int) -> None:
        """Create the layers and the norm before them."""
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, channels * _EXPANSION)
        self.fc2 = nn.Linear(channels * _EXPANSION, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape, (..., C)."""
        return self.fc2(functional.gelu(self.fc1(self.norm(tokens))))


class TransformerBlock(nn.Module):
    """Windowed attention, a convolution of each channel on its own, and a perceptron."""

    def __init__(self, channels: int, window: int) -> None:
        """Create the three."""
        super().__init__()
        self.window = window
        self.attn = WindowAttention(channels, window)
        self.local_conv = ConvolutionNorm(channels, channels, kernel=3, groups=channels)
        self.mlp = Perceptron(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, H, W)."""
        features = features + self._attend(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        features = self.local_conv(features)
        return features + self.mlp(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def _attend(self, tokens: Tensor) -> Tensor:
        """Return (B, H, W, C) tokens after attention within windows; the last windows are padded with zeros.

        If all tokens fit into one window, nothing is padded, unlike in the published code: a crop of 40 pixels is 10
        tokens wide, and half the work would go into padding.
        """
        batch, height, width, channels = tokens.shape
        window = min(self.window, max(height, width))
        padded = functional.pad(tokens, (0, 0, 0, -width % window, 0, -height % window))
        rows, columns = padded.shape[1] // window, padded.shape[2] // window
        split = padded.view(batch, rows, window, columns, window, channels).transpose(2, 3)
        mixed = self.attn(split.reshape(-1, window * window, channels), window)
        joined = mixed.view(batch, rows, columns, window, window, channels).transpose(2, 3).reshape(padded.shape)
        return joined[:, :height, :width]


class ChannelNorm(nn.Module):
    """Layer norm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        """Create scale and shift."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, H, W)."""
        channels_last = features.permute(0, 2, 3, 1)
        normed = functional.layer_norm(channels_last, self.weight.shape, self.weight, self.bias, eps=1e-6)
        return normed.permute(0, 3, 1, 2)


class Stage(nn.Module):
    """Blocks with the same number of channels, then the step to the next stage."""

    def __init__(self, number: int) -> None:
        """Create stage `number`, 0 to 3."""
        super().__init__()
        width, window = _WIDTHS[number], _WINDOWS[number]
        self.blocks = nn.Sequential(
            *(
                InvertedBottleneck(width) if number == 0 else TransformerBlock(width, window)
                for _ in range(_DEPTHS[number])
            )
        )
        if number < len(_STRIDES):
            self.downsample = Downsampling(width, _WIDTHS[number + 1], _STRIDES[number])


class TinyViT(ImageEncoder):
    """TinyViT from (B, 3, H, W) images scaled to 0..1 to the neck's tokens and the features of earlier stages."""

    stride = 4
    out_channels = 256
    skip_channels = _WIDTHS[1::-1]

    def __init__(self) -> None:
        """Create all layers with random weights."""
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.seq = nn.Sequential(
            ConvolutionNorm(3, _WIDTHS[0] // 2), nn.GELU(), ConvolutionNorm(_WIDTHS[0] // 2, _WIDTHS[0])
        )
        self.layers = nn.ModuleList(Stage(number) for number in range(len(_WIDTHS)))
        out = self.out_channels
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], out, 1, bias=False),
            ChannelNorm(out),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            ChannelNorm(out),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the neck's (B, 256, H / 4, W / 4) tokens, and features (B, 128, H / 2, W / 2) and (B, 64, H, W)."""
        features = self.patch_embed.get_submodule("seq")(image)
        skips = []
        for stage, following in itertools.zip_longest(self.layers, _STRIDES):
            features = stage.get_submodule("blocks")(features)
            if following == 2:  # noqa: PLR2004 (a halving)
                skips.append(features)
            if following:
                features = stage.get_submodule("downsample")(features)
        return self.neck(features), skips[::-1]
