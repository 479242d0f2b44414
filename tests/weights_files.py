"""Weights files small enough to be made in a test, without torch."""

import numpy as np
from safetensors.numpy import save

from scarnet_cli.model.spec import NetworkSpec, Task

TOY = NetworkSpec("toy", Task.SEGMENT, "unet", 5, 2.0, 1, 48, {"features": 4, "levels": 3})


def toy_weights(*, value: float = 0.0, spec: NetworkSpec = TOY) -> bytes:
    """Return a whole weights file of one tensor with 6 parameters, and one of statistics, which are none."""
    tensors = {"kernel": np.full((2, 3), value, np.float16), "norm.running_mean": np.zeros(4, np.float16)}
    return save(tensors, metadata={"scarnet_spec": spec.to_json()})
