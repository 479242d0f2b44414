"""Weights files: safetensors (never unpickled), half precision, the spec in their metadata."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from scarnet_cli.errors import ModelError
from scarnet_cli.files import write_bytes
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec

_SPEC_KEY: Final = "scarnet_spec"


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network in evaluation mode with its spec and the SHA-256 (hex) of the file it came from."""

    network: nn.Module
    spec: NetworkSpec
    sha256: str


def save_weights(path: Path, network: nn.Module, spec: NetworkSpec) -> None:
    """Write the network's tensors in half precision, and its spec, atomically. Equal tensors give equal bytes."""
    tensors = {
        key: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    write_bytes(path, save(tensors, metadata={_SPEC_KEY: spec.to_json()}))


def load_weights(path: Path, device: str = "cpu") -> TrainedNetwork:
    """Build the network that a weights file describes and load its tensors, in single precision.

    Raises:
        ModelError: The file is missing, cut, no safetensors, or its tensors do not fit its spec.
    """
    if not path.is_file():
        message = f"There is no weights file {path.name}; give one with --weights, or see `scarnet doctor`."
        raise ModelError("missing_weights", message)
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        message = f"{path.name} is no whole safetensors file ({error}); fetch it again."
        raise ModelError("unreadable_weights", message) from error
    if _SPEC_KEY not in metadata:
        message = f"{path.name} does not say which network it is for; it was not written by `scarnet train`."
        raise ModelError("unreadable_weights", message)
    spec = NetworkSpec.from_json(metadata[_SPEC_KEY])
    network = build_model(spec)
    load_tensors(network, {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, path.name)
    return TrainedNetwork(network.to(device).eval(), spec, hashlib.sha256(path.read_bytes()).hexdigest())


def load_tensors(network: nn.Module, tensors: dict[str, Tensor], name: str) -> None:
    """Copy tensors into a network.

    Raises:
        ModelError: They do not fit; `name` says where they are from.
    """
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        message = f"{name} does not fit this network: {error}"
        raise ModelError("wrong_tensors", message) from error


def best_device() -> str:
    """Return "cuda" where a GPU can be used, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"
