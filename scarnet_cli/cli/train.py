"""`scarnet train`: train the localiser or a segmentation network on labelled cases."""

from pathlib import Path
from typing import Final

import rich_click as click
import torch

from scarnet_cli.cli.options import OUTPUT_DIRECTORY
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.errors import InputError
from scarnet_cli.model.weights import best_device, load_weights
from scarnet_cli.train.cases import Case, read_cases
from scarnet_cli.train.folds import split_folds
from scarnet_cli.train.loop import EpochReport, Trainer, TrainingData, fit
from scarnet_cli.train.presets import PRESETS, preset
from scarnet_cli.train.stacks import make_stacks

# Far from the seeds that people use, so that a network is never judged on phantoms that it was trained on.
_FIRST_PHANTOM: Final = 1_000_000


@click.command(epilog="Example: scarnet train emidec --model unet --fold 0 --out runs/unet/fold_0")
@click.argument("cases", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", type=click.Choice(list(PRESETS)), required=True, help="What to train.")
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Folder of this training.")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds that patients are dealt to.")
@click.option("--fold", type=click.IntRange(0), help="Hold this fold out; without it, train on all cases.")
@click.option("--phantoms", type=click.IntRange(0), default=0, show_default=True, help="Made hearts to mix in.")
@click.option(
    "--start-from",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Weights to start from instead of random ones; given twice, the later ones fill what they hold.",
)
@click.option("--epochs", type=click.IntRange(1), help="Passes over the cases; the preset's number if not given.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of weights, order and augmentation.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores if not given.")
def train(
    cases: Path,
    model: str,
    out: Path,
    folds: int,
    fold: int | None,
    phantoms: int,
    start_from: tuple[Path, ...],
    epochs: int | None,
    seed: int,
    threads: int | None,
) -> None:
    """Train a network on CASES, a folder in EMIDEC's layout.

    Writes checkpoint.pt after every epoch (run the same command again to go on after a kill), log.csv, and
    weights.safetensors when it is done.
    """
    if threads:
        torch.set_num_threads(threads)
    chosen = preset(model, epochs=epochs, seed=seed)
    everyone = read_cases(cases)
    held_out = _held_out(everyone, folds, fold)
    data = TrainingData(
        train=make_stacks([c for c in everyone if c.case_id not in held_out], chosen.spec),
        extra=make_stacks(_phantom_cases(phantoms), chosen.spec),
        held_out=make_stacks([c for c in everyone if c.case_id in held_out], chosen.spec),
    )
    trainer = Trainer(chosen.spec, chosen.augmentation, chosen.settings, best_device())
    for weights in start_from:
        trainer.start_from(load_weights(weights))
    out.mkdir(parents=True, exist_ok=True)
    with progress_bar(f"train {model}", chosen.settings.epochs) as advance:

        def report(entry: EpochReport) -> None:
            dice = " ".join(f"{d:.3f}" for d in entry.dice)
            advance(f"epoch {entry.epoch}: loss {entry.loss:.3f}" + (f", held-out Dice {dice}" if dice else ""))

        path = fit(trainer, data, out, report)
    click.echo(f"Wrote {path}.", err=True)


def _held_out(cases: list[Case], folds: int, fold: int | None) -> set[str]:
    if fold is None:
        return set()
    if fold >= folds:
        message = f"--fold {fold} is not one of the {folds} folds, which count from 0."
        raise InputError("wrong_fold", message)
    return set(split_folds([c.case_id for c in cases], [c.has_scar for c in cases], folds)[fold])


def _phantom_cases(number: int) -> list[Case]:
    if not number:
        return []
    from scarnet_cli.phantom.make import make_phantom

    phantoms = (make_phantom(_FIRST_PHANTOM + i) for i in range(number))
    return [Case(f"phantom_{i}", p.image, p.labels) for i, p in enumerate(phantoms)]
