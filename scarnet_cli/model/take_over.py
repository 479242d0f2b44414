"""Starting a network from the weights of another training."""

from torch import nn

from scarnet_cli.errors import ModelError
from scarnet_cli.model.scarnet import ScarNet
from scarnet_cli.model.unet import UNet
from scarnet_cli.model.weights import TrainedNetwork, load_tensors


def take_over(network: nn.Module, trained: TrainedNetwork) -> None:
    """Copy trained tensors into a network of the same architecture, or a U-Net's into ScarNet's convolutional path.

    Raises:
        ModelError: The weights fit neither.
    """
    source = trained.network
    if isinstance(network, ScarNet) and isinstance(source, UNet):
        _fill_path(network.convolution, source, trained.spec.name)
    else:
        load_tensors(network, source.state_dict(), trained.spec.name)


def _fill_path(path: UNet, source: UNet, name: str) -> None:
    """Copy a plain U-Net into a path that also has gates, which stay unchanged.

    Raises:
        ModelError: The U-Net has another size.
    """
    tensors, own = source.state_dict(), path.state_dict()
    if wrong := [key for key, value in tensors.items() if key not in own or own[key].shape != value.shape]:
        message = f"The U-Net {name} is of another size than ScarNet's convolutional path: {wrong[0]} does not fit."
        raise ModelError("wrong_tensors", message)
    path.load_state_dict({**own, **tensors})
