"""Settings of a training: length, learning rates and loss."""

from dataclasses import dataclass, field
from typing import Final

# Names of the presets (presets.py), here so that a command's help does not import torch.
MODELS: Final = ("localiser", "unet", "scarnet", "medsam", "scarnet_vit_b")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """All settings of a training except those of network and augmentation; saved in its checkpoint.

    Attributes:
        epochs: Passes over the real slices.
        batch: Slices of one forward pass, over all processes together.
        learning_rate: Peak; the rate warms up over 5 % of the steps and then falls to zero along a cosine.
        weight_decay: Weight decay of AdamW.
        ema: Decay of the running average of the weights, which is the result of a training.
        extra_fraction: Slices of the extra stacks (phantoms) drawn per epoch, as a fraction of the real ones.
        validate_every: Epochs between validations.
        encoder_rate: Learning rate of a pretrained encoder, as a fraction of that of the other parameters.
        path_weight: Weight of the loss of each path, added to that of the fused result, if the network has paths.
        seed: Seed of weights, order and augmentation.
        loss: "region" or "published" (losses.py).
        loss_options: Options of the published loss that differ from their defaults.
        accumulate: Batches whose gradients are averaged for one step.
        precision: "fp32", "bf16" (mixed) or "auto": bf16 if the device has instructions for it, else fp32.
    """

    epochs: int = 60
    batch: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    ema: float = 0.99
    extra_fraction: float = 0.15
    validate_every: int = 5
    encoder_rate: float = 1.0
    path_weight: float = 0.0
    seed: int = 0
    # Newer than some checkpoints: the defaults are the earlier behaviour.
    loss: str = "region"
    loss_options: dict[str, float | list[float]] = field(default_factory=dict)
    accumulate: int = 1
    precision: str = "auto"
