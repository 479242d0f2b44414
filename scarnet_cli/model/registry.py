"""Building the network of a spec. A new architecture needs an entry here, a name in spec.py and a file of its own."""

from collections.abc import Callable
from typing import Any, Final

from torch import nn

from scarnet_cli.errors import ModelError
from scarnet_cli.model.medsam import MedSam, MedSamOptions
from scarnet_cli.model.scarnet import ScarNet, ScarNetOptions
from scarnet_cli.model.spec import NetworkSpec, require_known
from scarnet_cli.model.stack_net import StackedScarNet
from scarnet_cli.model.unet import UNet, UNetOptions


def _scarnet(in_channels: int, classes: int, **options: Any) -> nn.Module:  # noqa: ANN401 (read from JSON)
    return ScarNet(in_channels, classes, ScarNetOptions(**options))


_BUILDERS: Final[dict[str, Callable[..., nn.Module]]] = {
    "unet": lambda in_channels, classes, **options: UNet(in_channels, classes, UNetOptions(**options)),
    "scarnet": _scarnet,
    "medsam": lambda _in_channels, classes, **options: MedSam(classes, MedSamOptions(**options)),
    "scarnet_stack": StackedScarNet,
}


def build_model(spec: NetworkSpec) -> nn.Module:
    """Return the network of a spec, with random weights.

    Raises:
        ModelError: The architecture is unknown or its options do not fit it.
    """
    require_known(spec)
    try:
        return _BUILDERS[spec.architecture](spec.in_channels, spec.classes, **spec.options)
    except TypeError as error:
        message = f"Options {spec.options} do not fit architecture {spec.architecture!r}: {error}."
        raise ModelError("wrong_options", message) from error
