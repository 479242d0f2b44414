"""One training in several processes, one per GPU, as `torchrun` starts them, or in this process alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from scarnet_cli.model.weights import best_device


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a training: its device, its rank and the number of processes."""

    device: str = "cpu"
    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the first process, the only one that writes and reports."""
        return self.rank == 0

    def average_gradients(self, network: nn.Module) -> None:
        """Average a network's gradients over all processes; its buffers become the first process's.

        A parameter without a gradient in every process, such as a frozen one, stays without. DistributedDataParallel
        would do the same, but keeps the group's threads alive for good (torch 2.12); see `join_processes`.
        """
        if self.world == 1:
            return
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        holders = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        distributed.all_reduce(holders)
        trained = [p for p, count in zip(parameters, holders.tolist(), strict=True) if count]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        flat = torch.cat([gradient.flatten() for gradient in gradients]) / self.world
        distributed.all_reduce(flat)
        means = flat.split([gradient.numel() for gradient in gradients])
        for parameter, gradient, mean in zip(trained, gradients, means, strict=True):
            parameter.grad = gradient.copy_(mean.view_as(gradient))
        for buffer in network.buffers():
            distributed.broadcast(buffer, 0)

    def mean(self, value: Tensor) -> float:
        """Return the mean of a single value over all processes."""
        if self.world > 1:
            distributed.all_reduce(value)
        return value.item() / self.world


def multiplies_bf16_fast(device_type: str) -> bool:
    """Tell whether a device has bf16 instructions: every GPU, and a CPU with AMX or AVX512-BF16.

    A CPU without them emulates bf16, at a ninth of the speed of fp32.
    """
    # Older releases of torch do not report the CPU's capabilities; they train in fp32.
    has = getattr(torch.cpu, "get_capabilities", dict)()
    return device_type != "cpu" or has.get("amx_bf16", False) or has.get("avx512_bf16", False)


@contextmanager
def join_processes() -> Iterator[Process]:
    """Yield this process: one of several if `torchrun` started it, else a single one on the best device.

    Nothing may keep the group beyond `destroy_process_group`: one of its threads that meets the end of Python aborts
    the process ("terminate called without an active exception").
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Process(best_device())
        return
    import torch._dynamo  # noqa: PLC0415 (optimisers import it, and it keeps whatever group exists by then)

    gpu = torch.cuda.is_available()
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        device = f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu"
        yield Process(device, distributed.get_rank(), world)
        distributed.barrier()  # no process leaves while another is still working
    finally:
        distributed.destroy_process_group()
