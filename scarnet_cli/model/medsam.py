"""MedSAM (Ma 2024, doi:10.1038/s41467-024-44824-z): an image encoder, a prompt encoder and a mask decoder.

Parameters are named as in the checkpoints of SAM, MedSAM and LiteMedSAM, which load unchanged. MedSAM is used in two
ways: as published, with a box round each structure (`segment_boxes`), and fine-tuned without a prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from scarnet_cli.model.encoders import EncoderName, build_encoder, encoder_input

_CHANNELS = 256
# Side in pixels of the images that the encoder was trained on.
_PRETRAINED_SIDE = {EncoderName.TINY_VIT: 256, EncoderName.VIT_B: 1024}
# First and last row, first and last column.
Box = tuple[int, int, int, int]
# SAM's decoder draws four masks at once: one, and three for ambiguous prompts. Here they are the four labels.
_MASKS = 4


@dataclass(frozen=True, slots=True)
class MedSamOptions:
    """MedSAM's encoder (one of `EncoderName`) and, for use without a prompt, pixels of its input per crop pixel."""

    encoder: str = EncoderName.TINY_VIT
    encoder_scale: float = 1.0


class MedSam(nn.Module):
    """MedSAM from (B, C, H, W) images to (B, 5, H, W) logits: the prompt is the whole image, each label a SAM mask."""

    def __init__(self, classes: int, options: MedSamOptions) -> None:
        """Create all layers with random weights.

        Raises:
            ValueError: The number of labels differs from that of the decoder's masks.
        """
        super().__init__()
        if classes != _MASKS + 1:
            message = f"MedSAM's decoder draws {_MASKS} masks, so it cannot learn {classes - 1} labels."
            raise ValueError(message)
        # Imported here because it needs torchvision; other networks need neither.
        from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer  # noqa: PLC0415

        self.scale = options.encoder_scale
        self.side = _PRETRAINED_SIDE[EncoderName(options.encoder)]
        self.image_encoder = build_encoder(options.encoder)
        tokens = self.side // self.image_encoder.stride
        self.prompt_encoder = PromptEncoder(_CHANNELS, (tokens, tokens), (self.side, self.side), mask_in_chans=16)
        self.mask_decoder = MaskDecoder(
            transformer_dim=_CHANNELS,
            transformer=TwoWayTransformer(depth=2, embedding_dim=_CHANNELS, num_heads=8, mlp_dim=2048),
            num_multimask_outputs=_MASKS - 1,
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return (B, 5, H, W) logits of (B, C, H, W) images; the background's are zero."""
        grey = encoder_input(image, self.scale, self.image_encoder.stride)
        height, width = grey.shape[-2:]
        whole = torch.tensor([[0.0, 0.0, width - 1.0, height - 1.0]], device=image.device)
        tokens, _ = self.image_encoder(grey)
        masks = functional.interpolate(self._decode(tokens, whole, (height, width)), image.shape[-2:], mode="bilinear")
        return torch.cat([torch.zeros_like(masks[:, :1]), masks], dim=1)

    @torch.inference_mode()
    def segment_boxes(self, picture: NDArray[np.float32], boxes: Sequence[Box]) -> list[NDArray[np.bool_]]:
        """Return a mask of the structure in each box, as published: without training, at the encoder's own resolution.

        Args:
            picture: (y, x) intensities on any scale; encoded once for all boxes.
            boxes: First and last row, first and last column of each structure.

        Returns:
            One (y, x) mask per box.
        """
        image = torch.from_numpy(picture).to(next(self.parameters()).device)[None, None]
        factor = self.side / max(picture.shape)
        height, width = (round(side * factor) for side in picture.shape)
        resized = functional.interpolate(image, (height, width), mode="bilinear", antialias=factor < 1)
        grey = functional.pad(encoder_input(resized, 1.0, 1), (0, self.side - width, 0, self.side - height))
        tokens, _ = self.image_encoder(grey)
        masks = []
        for top, bottom, left, right in boxes:
            corners = torch.tensor([[left, top, right, bottom]], device=image.device) * factor
            mask = self._decode(tokens, corners, (self.side, self.side))[:, :1]
            mask = functional.interpolate(mask, (self.side, self.side), mode="bilinear")[..., :height, :width]
            masks.append((functional.interpolate(mask, picture.shape, mode="bilinear")[0, 0] > 0).cpu().numpy())
        return masks

    def _decode(self, tokens: Tensor, box: Tensor, size: tuple[int, int]) -> Tensor:
        """Return (B, 4, 4 h, 4 w) logits of all four masks for (B, 256, h, w) tokens, all with one (1, 4) box."""
        # The prompt encoder assumes a fixed image size; ours depends on the crop and the scale.
        self.prompt_encoder.input_image_size = size
        self.prompt_encoder.image_embedding_size = (tokens.shape[-2], tokens.shape[-1])
        sparse, dense = self.prompt_encoder(points=None, boxes=box, masks=None)
        position = self.prompt_encoder.get_dense_pe()
        # The decoder takes many prompts for one image, not many images.
        masks = [self.mask_decoder.predict_masks(one[None], position, sparse, dense)[0] for one in tokens]
        return torch.cat(masks)
