"""Input of a training: slices drawn from stacks, collected into batches while the network runs on the batch before."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from scarnet_cli.cases.cases import Case
from scarnet_cli.model.spec import NetworkSpec
from scarnet_cli.train.settings import TrainingSettings
from scarnet_cli.train.stacks import Stack, make_stacks, slice_index, with_context

Pick = tuple[int, int]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Stacks to train on, extra synthetic stacks to mix in, and held-out stacks to validate on.

    `sha256` shows whether they are those of a checkpoint; empty if that is not checked.
    """

    train: Sequence[Stack]
    extra: Sequence[Stack]
    held_out: Sequence[Stack]
    sha256: str = ""


def training_data(
    cases: Sequence[Case], held_out: Collection[str], extra: Sequence[Case], spec: NetworkSpec
) -> TrainingData:
    """Return the cases as stacks for a network, those named in `held_out` apart, with the digest of all."""
    digest = hashlib.sha256()
    for case in [*cases, *extra]:
        digest.update(f"{case.case_id} {case.case_id in held_out} {case.sha256}\n".encode())
    return TrainingData(
        train=make_stacks([case for case in cases if case.case_id not in held_out], spec),
        extra=make_stacks(extra, spec),
        held_out=make_stacks([case for case in cases if case.case_id in held_out], spec),
        sha256=digest.hexdigest(),
    )


def collate(stacks: Sequence[Stack], picks: Sequence[Pick], context: int) -> tuple[Tensor, Tensor]:
    """Return (B, C, Y, X) images and (B, Y, X) labels of the picked slices."""
    images = torch.stack([with_context(stacks[s].image, z, context) for s, z in picks])
    return images, torch.stack([stacks[s].labels[z] for s, z in picks])


def draw_picks(data: TrainingData, settings: TrainingSettings, generator: torch.Generator) -> list[list[Pick]]:
    """Return one epoch's batches: every real slice once and a share of the extra slices, in random order.

    Stacks are numbered as in `[*data.train, *data.extra]`.
    """
    real = slice_index(data.train)
    extra = [(s + len(data.train), z) for s, z in slice_index(data.extra)]
    drawn = torch.randperm(len(extra), generator=generator)[: int(settings.extra_fraction * len(real))].tolist()
    picks = real + [extra[i] for i in drawn]
    order = torch.randperm(len(picks), generator=generator).tolist()
    # The batch statistics of a few leftover slices would be noise.
    return [c for c in chunks([picks[i] for i in order], settings.batch) if len(c) > settings.batch // 2]


def batches_in_epoch(data: TrainingData, settings: TrainingSettings) -> int:
    """Return the number of batches of every epoch, whichever slices it draws."""
    return len(draw_picks(data, settings, torch.Generator()))


def chunks(picks: Sequence[Pick], size: int) -> list[list[Pick]]:
    """Return the picks in order, `size` at a time."""
    return [list(picks[start : start + size]) for start in range(0, len(picks), size)]


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield items, each made in a thread while the one before is used; a single thread keeps their order."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item
