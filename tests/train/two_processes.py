"""Run by torchrun in test_processes.py: trains a toy heart in two processes, once whole and once cut after an epoch."""

import sys
from pathlib import Path

import torch
from hearts import toy_case, toy_spec
from torch import distributed

from scarnet_cli.train.augment import Augmentation
from scarnet_cli.train.batches import TrainingData
from scarnet_cli.train.loop import Trainer, fit
from scarnet_cli.train.processes import Process, join_processes
from scarnet_cli.train.record import EpochReport
from scarnet_cli.train.settings import TrainingSettings
from scarnet_cli.train.stacks import make_stacks

SETTINGS = TrainingSettings(epochs=2, batch=4, validate_every=2, accumulate=2)


def train(process: Process, data: TrainingData, out: Path, *, cut: bool) -> Trainer:
    trainer = Trainer(toy_spec(), Augmentation(window=48), SETTINGS, process)
    if cut:
        trainer.train_epoch(data)
        if process.is_first:
            trainer.save(out / "checkpoint.pt", data.sha256)
        distributed.barrier()
        return train(process, data, out, cut=False)
    fit(trainer, data, out, lambda entry: print_epoch(entry, process))
    return trainer


def print_epoch(entry: EpochReport, process: Process) -> None:
    sys.stdout.write(f"rank {process.rank} epoch {entry.epoch}\n")


def main(out: Path) -> None:
    stacks = make_stacks([toy_case(f"Case_{i}", scar=i % 2 == 0, slices=3) for i in range(4)], toy_spec())
    data = TrainingData(train=stacks[:3], extra=[], held_out=stacks[3:], sha256="d")
    with join_processes() as process:
        for name, cut in (("whole", False), ("cut", True)):
            trainer = train(process, data, out / name, cut=cut)
        mine = torch.cat([p.detach().flatten() for p in trainer.network.parameters()])
        theirs = [torch.empty_like(mine) for _ in range(process.world)]
        distributed.all_gather(theirs, mine)
        if process.is_first:
            (out / "agree.txt").write_text(str(bool(torch.equal(*theirs))))
    (out / f"threads_{process.rank}.txt").write_text("\n".join(thread_names()))


def thread_names() -> list[str]:
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
