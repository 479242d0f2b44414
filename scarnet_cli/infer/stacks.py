"""Correcting a slice network's probabilities with a network that sees the whole stack."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scarnet_cli.image.intensity import middle_of, normalise_slices
from scarnet_cli.infer.views import View
from scarnet_cli.model.stack_net import stack_input


@torch.inference_mode()
def corrected(
    network: nn.Module,
    signal: NDArray[np.floating],
    probability: NDArray[np.float32],
    views: Sequence[View],
    normalised_by: int,
) -> NDArray[np.float32]:
    """Return the (z, classes, y, x) probabilities of one stack as the stack network corrects them.

    Args:
        network: A `model.stack_net.StackNet`.
        signal: (z, y, x) intensities, each slice scaled to 0..1.
        probability: (z, classes, y, x) probabilities of the slice network.
        views: How the stack is shown, all slices alike; the result is the mean over all views.
        normalised_by: Rows and columns in the middle by which slices and stack are normalised.
    """
    device = next(network.parameters()).device
    image = torch.from_numpy(normalise_slices(signal, normalised_by))[None].to(device)
    raw = torch.from_numpy(np.ascontiguousarray(signal, np.float32))[None].to(device)
    present = torch.ones(image.shape[:2], device=device)
    rows, columns = (middle_of(side, normalised_by) for side in image.shape[-2:])
    picture = stack_input(image, raw, present, (rows, columns))[0]
    joined = torch.cat([picture, torch.from_numpy(probability).to(device)], dim=1)
    shape = joined.shape[-2:]
    results: list[Tensor] = []
    for view in views:
        seen = view.show(joined)[None]
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = network(seen[:, :, :2], seen[:, :, 2:], present)
        results.append(view.undo(torch.softmax(logits[0].float(), dim=1), shape))
    return torch.stack(results).mean(dim=0).cpu().numpy()
