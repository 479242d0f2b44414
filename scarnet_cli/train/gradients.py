"""Gradients of a loss for inputs of one fixed shape: on a GPU recorded once and replayed.

A network of some thousand small operations keeps a GPU waiting for the processor that starts them; a recorded graph of
them (CUDA graph) does not.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn

_WARM_UPS: Final = 3

LossOf = Callable[..., Tensor]


class Gradients:
    """Adds or sets the gradients of a network's parameters for one batch after the other."""

    def __init__(self, network: nn.Module, loss_of: LossOf, *, recorded: bool, adds: bool = False) -> None:
        """Keep what is needed; the first call records.

        Args:
            network: Whose gradients are meant.
            loss_of: Batch tensors to the loss.
            recorded: Record on a GPU. Every batch then must have the first one's shapes.
            adds: Add to the gradients at hand instead of replacing them. A recording that adds must be made after one
                that replaces.
        """
        self._network, self._loss_of, self._recorded, self._adds = network, loss_of, recorded, adds
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._loss = torch.zeros(())

    def of(self, *inputs: Tensor) -> Tensor:
        """Return the loss of a batch, whose gradients are then at hand."""
        if not (self._recorded and inputs[0].is_cuda):
            if not self._adds:
                self._network.zero_grad(set_to_none=True)
            loss = self._loss_of(*inputs)
            loss.backward()
            return loss.detach()
        if self._graph is None:
            self._record(inputs)
        for kept, new in zip(self._inputs, inputs, strict=True):
            kept.copy_(new)
        assert self._graph is not None
        self._graph.replay()
        return self._loss

    def _record(self, inputs: tuple[Tensor, ...]) -> None:
        self._inputs = [tensor.clone() for tensor in inputs]
        kept = {name: p.grad for name, p in self._network.named_parameters()}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                self._network.zero_grad(set_to_none=True)
                self._loss_of(*self._inputs).backward()
        torch.cuda.current_stream().wait_stream(side)
        for name, parameter in self._network.named_parameters():
            parameter.grad = kept[name] if self._adds else None
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = self._loss_of(*self._inputs)
            loss.backward()
        self._graph, self._loss = graph, loss.detach()
