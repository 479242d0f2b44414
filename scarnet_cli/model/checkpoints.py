"""Loading torch checkpoints, other people's and our own, into our networks without running any code in them."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from scarnet_cli.errors import ModelError
from scarnet_cli.files import file_sha256
from scarnet_cli.model.encoders import ENCODERS
from scarnet_cli.model.pretrained import lite_medsam_path
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.model.store import SUFFIX
from scarnet_cli.model.weights import TrainedNetwork, load_tensors

# Names under which programs save the tensors in a checkpoint; first ours, which is the running average.
_HOLDERS: Final = ("average", "state_dict", "model_state_dict", "model", "network")
# Prefixes that programs put before every name.
_WRAPPERS: Final = ("module.", "model.", "network.")
# Prefix of the image encoder's tensors in SAM, MedSAM and LiteMedSAM.
_ENCODER: Final = "image_encoder."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Tensors of a checkpoint by name, and the spec of their network, which only our own checkpoints give."""

    tensors: dict[str, Tensor]
    spec: NetworkSpec | None


def import_checkpoint(path: Path, spec: NetworkSpec) -> tuple[nn.Module, NetworkSpec]:
    """Return a network with the tensors of a checkpoint, and its spec.

    A checkpoint of SAM, MedSAM or LiteMedSAM, whole or only its image encoder, fills a whole MedSAM or the encoder of a
    network that has the same one. The rest stays random, and the spec says `trained` = False.

    Args:
        path: See `read_checkpoint`.
        spec: Network to fill. One of our own checkpoints keeps its own spec, but takes this one's decision.

    Raises:
        ModelError: The file cannot be read, holds more than tensors, is for another model, or its tensors do not fit.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.spec is not None:
        if checkpoint.spec.name != spec.name:
            message = f"{path.name} is of the model {checkpoint.spec.name!r}, not of {spec.name!r}; name that model."
            raise ModelError("other_model", message)
        spec = replace(checkpoint.spec, decision=spec.decision)
    torch.manual_seed(0)
    network = build_model(spec)
    encoder = next((module for module in network.modules() if isinstance(module, ENCODERS)), None)
    if encoder is not None and checkpoint.tensors.keys().isdisjoint(network.state_dict()):
        load_tensors(encoder, tensors_below(_ENCODER, checkpoint.tensors), path.name)
        return network, replace(spec, trained=False)
    load_tensors(network, checkpoint.tensors, path.name)
    pretrained = checkpoint.spec is None and any(key.startswith(_ENCODER) for key in checkpoint.tensors)
    return network, replace(spec, trained=not pretrained)


def load_lite_medsam(spec: NetworkSpec, device: str = "cpu") -> TrainedNetwork:
    """Return a network filled with LiteMedSAM's published weights as far as they fit.

    Args:
        spec: A MedSAM, or a network with its encoder; tensors that the checkpoint does not fill are random.
        device: Device to put the network on.

    Raises:
        ModelError: The package with the weights is not installed.
    """
    path = lite_medsam_path()
    network, spec = import_checkpoint(path, spec)
    return TrainedNetwork(network.to(device).eval(), spec, file_sha256(path))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the tensors of a safetensors file, a checkpoint.pt of `scarnet train`, or a state_dict saved by torch.

    Prefixes that all names share because the network was wrapped ("module.") are removed.

    Raises:
        ModelError: The file is missing or truncated, or reading it would run code, which is refused.
    """
    content = _read(path)
    tensors = _state_dict(content, path.name)
    for wrapper in _WRAPPERS:
        if all(key.startswith(wrapper) for key in tensors):
            tensors = tensors_below(wrapper, tensors)
    described = content.get("spec")
    return Checkpoint(tensors, NetworkSpec.from_json(described) if isinstance(described, str) else None)


def tensors_below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names have a prefix, without it; if none has it, all, as the file is that part alone."""
    part = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    return part or dict(tensors)


def _read(path: Path) -> Mapping[Any, Any]:
    try:
        content = load_file(path) if path.suffix == SUFFIX else torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        message = (
            f"{path.name} holds more than tensors, or is not a torch checkpoint; reading it could run code, so it "
            "is refused. At its source, save the tensors alone: torch.save(model.state_dict(), FILE)."
        )
        raise ModelError("not_only_tensors", message) from error
    except (SafetensorError, OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        message = f"{path.name} is not a complete checkpoint ({type(error).__name__}); fetch it again."
        raise ModelError("unreadable_checkpoint", message) from error
    return content if isinstance(content, Mapping) else {}


def _state_dict(content: Mapping[Any, Any], name: str) -> dict[str, Tensor]:
    """Return the tensors by name, from whichever of `_HOLDERS` the checkpoint has.

    Raises:
        ModelError: There are none.
    """
    for holder in _HOLDERS:
        if isinstance(content.get(holder), Mapping):
            return _state_dict(content[holder], name)
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        message = f"{name} holds no tensors by name; a state_dict is needed: torch.save(model.state_dict(), FILE)."
        raise ModelError("no_tensors", message)
    return tensors
