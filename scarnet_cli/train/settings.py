"""How long and how hard to train, and on which loss."""

from dataclasses import dataclass, field
from typing import Final

# The names of the presets (presets.py), here so that a command's help needs no torch.
MODELS: Final = ("localiser", "unet", "scarnet", "medsam", "scarnet_vit_b")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """All numbers of a training but those of network and augmentation; kept in its checkpoint.

    Attributes:
        epochs: Passes over the real slices.
        batch: Slices of one forward pass, on all processes together.
        learning_rate: Peak; it warms up over 5 % of the steps and falls along a cosine to zero.
        weight_decay: Of AdamW.
        ema: Decay of the running average of weights, which is what is kept.
        extra_fraction: Slices of the extra stacks (phantoms) drawn an epoch, as a fraction of the real ones.
        validate_every: Epochs between validations.
        encoder_rate: Learning rate of a pretrained encoder as a fraction of the rest's.
        path_weight: Weight of the loss of each path of a network that has several, beside that of its fused result.
        seed: Of weights, order and augmentation.
        loss: "region" or "published" (losses.py).
        loss_options: Terms of the published loss that differ from their defaults.
        accumulate: Batches whose gradients are averaged for one step.
        precision: "fp32", "bf16" (mixed) or "auto": bf16 where the device has instructions for it, else fp32.
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
    # Newer than some checkpoints: their defaults are what was done before.
    loss: str = "region"
    loss_options: dict[str, float | list[float]] = field(default_factory=dict)
    accumulate: int = 1
    precision: str = "auto"
