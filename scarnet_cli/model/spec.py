"""The description of a network in its weights file: enough to build it, prepare its input and read its output."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

from scarnet_cli.errors import ModelError

# Architectures that model/registry.py can build, named here so that a weights file can be checked without torch.
ARCHITECTURES: Final = ("unet", "scarnet", "medsam", "scarnet_stack")


class Task(StrEnum):
    """Purpose of a network."""

    LOCALISE = "localise"
    SEGMENT = "segment"


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Everything about a network that is not a tensor.

    Attributes:
        name: Name shown in tables (`scans.model`).
        task: LOCALISE (classes: background, left ventricle) or SEGMENT (classes: `image.labels.Label`).
        architecture: One of `ARCHITECTURES`.
        options: Keyword arguments of the architecture's options record.
        classes: Number of output channels.
        pixel_mm: In-plane pixel spacing of the input.
        context: Neighbouring slices on each side that are extra input channels.
        crop: Rows and columns of the crop; for the localiser, which takes the whole image, their least number.
        decision: Thresholds that turn probabilities into labels (see `infer/decision.py`).
        zoom: Mean enlargement of the hearts that the network is shown (see `infer/views.py`).
        trained: False if the network is only pretrained: it can start a training, but cannot segment.
    """

    name: str
    task: Task
    architecture: str
    classes: int
    pixel_mm: float
    context: int
    crop: int
    options: dict[str, object] = field(default_factory=dict)
    decision: dict[str, float] = field(default_factory=dict)
    zoom: float = 1.18
    trained: bool = True

    @property
    def in_channels(self) -> int:
        """Channels of the input: the slice and its neighbours."""
        return 2 * self.context + 1

    def to_json(self) -> str:
        """Return the spec as JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "NetworkSpec":
        """Read what `to_json` wrote.

        Raises:
            ModelError: The text is not such a spec.
        """
        try:
            values = json.loads(text)
            return cls(**{**values, "task": Task(values["task"])})
        except (ValueError, TypeError, KeyError) as error:
            message = f"The weights' description cannot be read ({error}); use weights written by this version."
            raise ModelError("unreadable_weights", message) from error


def require_known(spec: NetworkSpec) -> None:
    """Require a network's architecture to be one of `ARCHITECTURES`.

    Raises:
        ModelError: It is not.
    """
    if spec.architecture not in ARCHITECTURES:
        message = f"Unknown architecture {spec.architecture!r}; known: {', '.join(ARCHITECTURES)}."
        raise ModelError("unknown_architecture", message)


def require_task(spec: NetworkSpec, task: Task) -> None:
    """Require a network to be trained for a task.

    Raises:
        ModelError: It is not; the message says how to get one that is.
    """
    if spec.task is not task:
        message = f"Weights {spec.name!r} are for {spec.task.value}, not for {task.value}; see `scarnet weights list`."
        raise ModelError("wrong_weights", message)
    if not spec.trained:
        message = f"Weights {spec.name!r} are pretrained alone; train them first: `scarnet train --start-from`."
        raise ModelError("untrained_weights", message)
