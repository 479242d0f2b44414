"""Pretrained image encoders with one interface, from three-channel images to tokens of 256 channels."""

from enum import StrEnum
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.model.image_encoder import ImageEncoder
from scarnet_cli.model.tiny_vit import TinyViT


class EncoderName(StrEnum):
    """Encoders with which ScarNet and MedSAM can be built."""

    TINY_VIT = "tiny_vit"
    VIT_B = "vit_b"


class SamViTB(ImageEncoder):
    """SAM's ViT-B (Kirillov 2023, doi:10.1109/ICCV51070.2023.00371) from the package segment-anything, at any size.

    It is built for 1024 x 1024, so that checkpoints of SAM and MedSAM load unchanged. The position embedding is
    interpolated to the number of tokens; the package itself interpolates the relative positions.
    """

    stride = 16
    out_channels = 256
    skip_channels = ()

    def __init__(self) -> None:
        """Create SAM's encoder with random weights."""
        super().__init__()
        # Imported here because it needs torchvision; networks with another encoder need neither.
        from segment_anything.modeling import ImageEncoderViT  # noqa: PLC0415

        encoder = ImageEncoderViT(
            embed_dim=768,
            depth=12,
            num_heads=12,
            use_rel_pos=True,
            window_size=14,
            global_attn_indexes=(2, 5, 8, 11),
        )
        # The parts keep their names, which are those in the checkpoints.
        self.patch_embed, self.pos_embed = encoder.patch_embed, encoder.pos_embed
        self.blocks, self.neck = encoder.blocks, encoder.neck

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return (B, 256, H / 16, W / 16) tokens of (B, 3, H, W) images, and no finer features."""
        tokens = self.patch_embed(image)
        if self.pos_embed is not None:
            channels_first = self.pos_embed.permute(0, 3, 1, 2)
            size = (tokens.shape[1], tokens.shape[2])
            tokens = tokens + functional.interpolate(channels_first, size, mode="bicubic").permute(0, 2, 3, 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.neck(tokens.permute(0, 3, 1, 2)), []


# Modules that are pretrained elsewhere, in any part of a network.
ENCODERS: Final = (TinyViT, SamViTB)


def build_encoder(name: str) -> ImageEncoder:
    """Return an encoder with random weights.

    Raises:
        ValueError: The name is none of `EncoderName`.
    """
    return TinyViT() if EncoderName(name) is EncoderName.TINY_VIT else SamViTB()


def encoder_input(image: Tensor, scale: float, stride: int, *, neighbours: bool = False) -> Tensor:
    """Return an encoder's (B, 3, h, w) input: a network's input scaled to 0..1, all channels together, and resized.

    Args:
        image: (B, C, H, W) normalised slices with their neighbours as channels.
        scale: Pixels of the encoder's input per pixel of the image, along each side.
        stride: Stride of the encoder; h and w are rounded to multiples of it.
        neighbours: Show a slice and its two neighbours (C = 3) as colours, not the slice alone in grey.
    """
    if not neighbours:
        image = image[:, image.shape[1] // 2, None]
    low, high = image.amin(dim=(1, 2, 3), keepdim=True), image.amax(dim=(1, 2, 3), keepdim=True)
    image = (image - low) / (high - low).clamp(min=1e-6)
    size = [max(stride, round(side * scale / stride) * stride) for side in image.shape[-2:]]
    if size != list(image.shape[-2:]):
        image = functional.interpolate(image, size, mode="bilinear", antialias=scale < 1)
    return image if neighbours else torch.cat([image, image, image], dim=1)
