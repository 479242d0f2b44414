"""Weights files: safetensors, which need no unpickling, in half precision, with the spec in their metadata."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from scarnet_cli.errors import ModelError
from scarnet_cli.files import write_bytes
from scarnet_cli.model.registry import build_model
from scarnet_cli.model.spec import NetworkSpec, Task, require_task
from scarnet_cli.model.store import SPEC_KEY, read_weights_file

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network in evaluation mode with its spec and the SHA-256 (hex) of the file it came from."""

    network: nn.Module
    spec: NetworkSpec
    sha256: str


def save_weights(path: Path, network: nn.Module, spec: NetworkSpec) -> None:
    """Write a network's tensors in half precision, and its spec, atomically. Equal tensors give equal bytes.

    Raises:
        ModelError: A value is not finite in half precision.
    """
    tensors = {
        key: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            message = (
                f"{key} holds values that are infinite or not numbers in half precision; {path.name} is not written."
            )
            raise ModelError("not_finite", message)
    write_bytes(path, save(tensors, metadata={SPEC_KEY: spec.to_json()}))


def load_weights(path: Path, device: str = "cpu", task: Task | None = None) -> TrainedNetwork:
    """Build the network that a weights file describes, for `task` if given, and load its tensors, in single precision.

    Raises:
        ModelError: The file is missing, truncated, not safetensors, or not the one that SHA256SUMS beside it lists; its
            tensors do not fit its spec; or the network is not trained for the task.
    """
    file = read_weights_file(path)
    if task is not None:
        require_task(file.spec, task)
    network = build_model(file.spec)
    load_tensors(network, load_file(path), path.name)
    # Converted once to the memory layout that convolutions prefer: ScarNet is a sixth faster, with the same result.
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TrainedNetwork(network.eval(), file.spec, file.sha256)


def load_tensors(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Copy tensors into a network, in the network's own precision.

    Raises:
        ModelError: The tensors do not fit.
    """
    own = network.state_dict()
    problems = [
        f"{key} is {tuple(tensors[key].shape)} there and {tuple(own[key].shape)} in the network"
        for key in own
        if key in tensors and tensors[key].shape != own[key].shape
    ]
    problems += [f"{key} {tuple(own[key].shape)} is missing there" for key in own if key not in tensors]
    problems += [f"{key} {tuple(tensors[key].shape)} is not in the network" for key in tensors if key not in own]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        message = f"{name} does not fit this network: {problems[0]}{more}."
        raise ModelError("wrong_tensors", message)
    network.load_state_dict(tensors)


def best_device(*, gpu_asked: bool = False) -> str:
    """Return "cuda" if a GPU can be used, else "cpu"; log a warning if a GPU was asked for and there is none."""
    if torch.cuda.is_available():
        return "cuda"
    if gpu_asked:
        logger.warning("a GPU was requested, but none can be used here: the network runs on the CPU, many times slower")
    return "cpu"


def device_name(trained: TrainedNetwork) -> str:
    """Return the name of the device a network is on: "cpu", or the name of the GPU."""
    device = next(trained.network.parameters()).device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
