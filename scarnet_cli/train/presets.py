"""The settings that the shipped weights were trained with, one preset a task."""

from dataclasses import dataclass, replace
from typing import Any, Final

from scarnet_cli.image.labels import Label
from scarnet_cli.model.spec import NetworkSpec, Task
from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.loop import TrainingSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """Network, augmentation and settings of one task."""

    spec: NetworkSpec
    augmentation: Augmentation
    settings: TrainingSettings


# 1.4 mm is the spacing of EMIDEC's files. Windows of 80 pixels (112 mm) hold every left ventricle with its surroundings
# and train 2.5 times as fast as the crop's 128; the network is fully convolutional, so it runs on the whole crop.
_SEGMENT: Final = Preset(
    NetworkSpec(
        name="unet",
        task=Task.SEGMENT,
        architecture="unet",
        classes=len(Label),
        pixel_mm=1.4,
        context=1,
        crop=128,
        options={"features": 16},
        decision={"scar_share": 0.4, "least_scar_percent": 4.0},  # `scarnet evaluate` on the 16 cases of fold 0
    ),
    Augmentation(window=80, upright=0.6, log_scale=0.18, shear=0.05, log_gamma=0.3, noise=0.04, bias=0.2),
    TrainingSettings(epochs=40),
)
# The heart may lie anywhere and the field of view varies, hence the wide shifts and zooms.
_LOCALISE: Final = Preset(
    NetworkSpec(
        "localiser", Task.LOCALISE, "unet", 2, pixel_mm=5.0, context=0, crop=72, options={"features": 16, "levels": 4}
    ),
    Augmentation(window=72, shift=0.25, log_scale=0.35, noise=0.05, bias=0.3),
    TrainingSettings(epochs=40),
)
PRESETS: Final[dict[Task, Preset]] = {Task.SEGMENT: _SEGMENT, Task.LOCALISE: _LOCALISE}


def preset(task: Task, **changes: Any) -> Preset:  # noqa: ANN401 (values of TrainingSettings' fields)
    """Return a task's preset with some training settings changed; changes that are None are ignored."""
    base = PRESETS[task]
    return replace(base, settings=replace(base.settings, **{k: v for k, v in changes.items() if v is not None}))
