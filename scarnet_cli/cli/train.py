"""`scarnet train`: train the localiser or a segmentation network on labelled cases."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rich_click as click

from scarnet_cli.cli.case_options import CASES, FOLDS, LABEL_VALUES, labelled_cases
from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FILE
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.cli.weights_options import WEIGHTS_NAME, weights_dir
from scarnet_cli.errors import InputError
from scarnet_cli.files import atomic_path, read_json
from scarnet_cli.progress import Advance, no_progress
from scarnet_cli.train.settings import MODELS

if TYPE_CHECKING:
    from scarnet_cli.cases.cases import Case
    from scarnet_cli.model.weights import TrainedNetwork
    from scarnet_cli.train.presets import Preset
    from scarnet_cli.train.record import EpochReport

# Far from the seeds that people use, so that a network is never tested on phantoms that it was trained on.
_FIRST_PHANTOM: Final = 1_000_000


@click.command(epilog="Example: scarnet train emidec --model unet --fold 0 --out runs/unet/fold_0")
@click.argument("cases", type=CASES)
@click.option("--model", type=click.Choice(MODELS), required=True, help="What to train.")
@click.option("--out", type=OUTPUT_DIRECTORY, help="Folder of this training.")
@FOLDS
@click.option("--fold", type=click.IntRange(0), help="Hold this fold out; without it, train on all cases.")
@LABEL_VALUES
@click.option("--phantoms", type=click.IntRange(0), default=0, show_default=True, help="Phantom hearts to mix in.")
@click.option(
    "--start-from",
    type=WEIGHTS_NAME,
    multiple=True,
    help="Weights to start from; a second file replaces what it holds. A U-Net's fill ScarNet's U-Net path.",
)
@weights_dir
@click.option(
    "--settings", type=EXISTING_FILE, help="JSON file with changed settings of the model, like settings.json."
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="Passes over the cases, which may be raised when it goes on; the model's own if not given.",
)
@click.option("--seed", type=int, help="Seed of weights, order and augmentation; 0 if not given.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores if not given.")
@click.option(
    "--preview",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Instead of training, draw augmented crops to this PNG file, one row per transform.",
)
def train(
    cases: Path,
    model: str,
    out: Path | None,
    folds: int,
    fold: int | None,
    label_values: Path | None,
    phantoms: int,
    start_from: tuple[Path, ...],
    settings: Path | None,
    epochs: int | None,
    seed: int | None,
    threads: int | None,
    preview: Path | None,
) -> None:
    """Train a network on CASES, a folder in EMIDEC's layout or a CSV table (case,image,labels[,patient]).

    Writes checkpoint.pt after every epoch (run the same command again to go on after a kill), log.csv, curve.svg,
    TensorBoard's events, settings.json, and weights.safetensors when it is done. `torchrun` starts it on several GPUs.
    """
    if out is None and preview is None:
        message = "Give --out, the folder of this training, or --preview."
        raise click.UsageError(message)
    import torch

    from scarnet_cli.cases.folds import held_out_ids
    from scarnet_cli.train.batches import batches_in_epoch, training_data
    from scarnet_cli.train.loop import Trainer, fit, regions_of
    from scarnet_cli.train.presets import PRESETS, change
    from scarnet_cli.train.processes import join_processes
    from scarnet_cli.train.record import LOG, read_log

    if threads:
        torch.set_num_threads(threads)
    given = {name: value for name, value in (("epochs", epochs), ("seed", seed)) if value is not None}
    chosen = change(change(PRESETS[model], _read_settings(settings)), {"settings": given})
    everyone = labelled_cases(cases, label_values)
    if preview:
        _draw_preview(everyone, chosen, preview)
    if out is None:
        return
    held_out = [] if fold is None else held_out_ids(everyone, folds, fold)
    data = training_data(everyone, held_out, _phantom_cases(phantoms), chosen.spec)
    with join_processes() as process:
        trainer = Trainer(chosen.spec, chosen.augmentation, chosen.settings, process)
        for trained in _starts(chosen, start_from):
            trainer.start_from(trained)
        progress = progress_bar if process.is_first else no_progress
        epochs, batches = chosen.settings.epochs, batches_in_epoch(data, chosen.settings)
        with progress(f"train {model}", epochs * batches, len(read_log(out / LOG)) * batches) as advance:
            path = fit(trainer, data, out, _reporter(regions_of(chosen.spec), epochs, advance), advance)
        if process.is_first:
            click.echo(f"Wrote {path}.", err=True)


def _starts(chosen: "Preset", start_from: tuple[Path, ...]) -> "list[TrainedNetwork]":
    """Return the networks that training starts from: the given weights, and a pretrained part if none covers it."""
    from scarnet_cli.model.checkpoints import load_lite_medsam
    from scarnet_cli.model.weights import load_weights

    given = [load_weights(path) for path in start_from]
    if chosen.pretrained and all(g.spec.architecture != chosen.spec.architecture for g in given):
        return [load_lite_medsam(chosen.spec), *given]
    return given


def _read_settings(path: Path | None) -> dict[str, object]:
    try:
        content = read_json(path) if path else {}
    except ValueError as error:
        message = f"The settings are not a JSON file ({error})."
        raise InputError("bad_settings", message) from error
    if not isinstance(content, dict):
        message = "The settings are not a JSON object; take a training's settings.json as an example."
        raise InputError("bad_settings", message)
    return content


def _draw_preview(cases: "list[Case]", chosen: "Preset", path: Path) -> None:
    from scarnet_cli.train.preview import render_preview
    from scarnet_cli.train.stacks import make_stacks

    picture = render_preview(make_stacks(cases, chosen.spec), chosen.spec, chosen.augmentation, chosen.settings.seed)
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")


def _reporter(regions: list[str], epochs: int, advance: Advance) -> "Callable[[EpochReport], None]":
    """Return a function that shows each epoch's loss with the latest held-out Dice."""
    latest = ""

    def report(entry: "EpochReport") -> None:
        nonlocal latest
        if entry.dice:
            dice = ", ".join(f"{region} {value:.3f}" for region, value in zip(regions, entry.dice, strict=True))
            latest = f"; held-out Dice after {entry.epoch}: {dice}"
        advance(0, f"epoch {entry.epoch} of {epochs}: loss {entry.loss:.3f}{latest}")

    return report


def _phantom_cases(number: int) -> "list[Case]":
    if not number:
        return []
    from scarnet_cli.cases.cases import Case
    from scarnet_cli.phantom.make import make_phantom

    phantoms = (make_phantom(_FIRST_PHANTOM + i) for i in range(number))
    return [Case(f"phantom_{i}", p.image, p.labels) for i, p in enumerate(phantoms)]
