"""Settings with which the shipped weights were trained, one preset per model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from scarnet_cli.errors import InputError
from scarnet_cli.image.labels import Label
from scarnet_cli.model.encoders import EncoderName
from scarnet_cli.model.spec import NetworkSpec, Task
from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """Network, augmentation and settings of one model.

    Attributes:
        spec: The network.
        augmentation: Augmentation of the crops in training.
        settings: Length and learning rates of the training.
        pretrained: Whether training starts from LiteMedSAM's checkpoint as far as it fits.
    """

    spec: NetworkSpec
    augmentation: Augmentation
    settings: TrainingSettings
    pretrained: bool = False


# 1.4 mm is the spacing of EMIDEC's files. Windows of 80 pixels (112 mm) hold every left ventricle with its surroundings
# and train 2.5 times as fast as the crop's 128; the networks are convolutional and run on windows of any size.
_UNET: Final = Preset(
    NetworkSpec(
        name="unet",
        task=Task.SEGMENT,
        architecture="unet",
        classes=len(Label),
        pixel_mm=1.4,
        context=1,
        crop=128,
        options={"features": 16},
        decision={"scar_share": 0.6, "least_scar_percent": 4.0},  # `scarnet evaluate` on the 16 cases of fold 0
    ),
    Augmentation(window=80, upright=0.7, log_scale=0.18, shear=0.05, elastic=0.04, log_gamma=0.3, noise=0.04, bias=0.2),
    TrainingSettings(epochs=110, batch=8, learning_rate=1.5e-3, ema=0.995),
)


_FINE_TUNING: Final = TrainingSettings(
    epochs=24, batch=8, learning_rate=1e-3, ema=0.995, encoder_rate=0.3, path_weight=0.5
)


def _like_unet(name: str, architecture: str, options: dict[str, object], *, pretrained: bool = True) -> Preset:
    """Return a preset with the U-Net's input and augmentation, except that hearts are enlarged as at inference."""
    spec = replace(_UNET.spec, name=name, architecture=architecture, options=options)
    how = replace(_UNET.augmentation, enlarge=1.15)
    return replace(_UNET, spec=spec, augmentation=how, settings=_FINE_TUNING, pretrained=pretrained)


_TINY_SCARNET: Final = {
    "encoder": EncoderName.TINY_VIT.value,
    "encoder_scale": 0.5,
    "features": 16,
    "levels": 5,
    "neighbours": True,
}


def _scarnet() -> Preset:
    """Return the shipped ScarNet, which sees hearts at 1 mm per pixel; this gains half a point of Dice."""
    base = _like_unet("scarnet", "scarnet", _TINY_SCARNET)
    return replace(
        base,
        spec=replace(base.spec, zoom=1.42),
        augmentation=replace(base.augmentation, window=96, enlarge=1.4),
        settings=replace(base.settings, epochs=40, ema=0.998),
    )


# The heart may be anywhere and the field of view varies, hence the large shifts and zooms.
_LOCALISER: Final = Preset(
    NetworkSpec(
        "localiser", Task.LOCALISE, "unet", 2, pixel_mm=5.0, context=0, crop=72, options={"features": 16, "levels": 4}
    ),
    Augmentation(window=72, shift=0.25, log_scale=0.35, noise=0.05, bias=0.3),
    TrainingSettings(epochs=40),
)
PRESETS: Final[dict[str, Preset]] = {
    "localiser": _LOCALISER,
    "unet": _UNET,
    "scarnet": _scarnet(),
    "medsam": _like_unet("medsam", "medsam", {"encoder_scale": 0.5}),
    # As published: 64 features, and an encoder that sees the crop at its own resolution. It needs a GPU. The user has
    # to supply SAM's or MedSAM's checkpoint (`scarnet weights import`, then --start-from): no registry has them.
    "scarnet_vit_b": _like_unet("scarnet_vit_b", "scarnet", {}, pretrained=False),
}


def change(base: Preset, changes: Mapping[str, object]) -> Preset:
    """Return a preset with some settings changed.

    Raises:
        InputError: A table or field is unknown, or a value has the wrong type; the message names all of them.
    """
    records: dict[str, TrainingSettings | Augmentation] = {"settings": base.settings, "augmentation": base.augmentation}
    wrong = [f"there is no '{part}'" for part in changes if part not in records]
    for part, record in records.items():
        given = changes.get(part, {})
        if not isinstance(given, dict):
            wrong.append(f"'{part}' is not a table of settings")
            continue
        known = asdict(record)
        for name, value in given.items():
            if name not in known:
                wrong.append(f"{part} has no '{name}'")
            elif not _same_type(value, known[name]):
                wrong.append(f"{part}: {name} is {value!r}, and needs a value like {known[name]!r}")
        if not wrong:
            records[part] = replace(record, **given)
    if wrong:
        message = f"The settings are wrong: {'; '.join(wrong)}."
        raise InputError("bad_settings", message)
    return replace(base, **records)


def _same_type(value: object, like: object) -> bool:
    if isinstance(like, float) and isinstance(value, int):
        return not isinstance(value, bool)
    return type(value) is type(like)
