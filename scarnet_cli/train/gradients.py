"""Gradients of a loss for inputs of a fixed shape, which a GPU records once and then replays.

A network of a thousand small operations keeps a GPU waiting for the CPU that starts them; a recorded CUDA graph of them
does not.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn

_WARM_UPS: Final = 3

LossOf = Callable[..., Tensor]


class Gradients:
    """Computation of the gradients of a network's parameters, one batch after the other."""

    def __init__(self, network: nn.Module, loss_of: LossOf, *, recorded: bool, adds: bool = False) -> None:
        """Store the arguments; the first call of `of` records.

        Args:
            network: Network to train.
            loss_of: Function from a batch's tensors to the loss.
            recorded: Record on a GPU; every batch must then have the shapes of the first.
            adds: Add to the current gradients instead of replacing them. A recording that adds must be made after one
                that replaces.
        """
        self._network, self._loss_of, self._recorded, self._adds = network, loss_of, recorded, adds
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._loss = torch.zeros(())

    def of(self, *inputs: Tensor) -> Tensor:
        """Set or add the gradients of a batch, and return its loss."""
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
