"""`scarnet chain`: train ScarNet and its stack network, for every fold and for all cases, with one command."""

from dataclasses import replace
from pathlib import Path

import rich_click as click

from scarnet_cli.cli.case_options import CASES, FOLDS, LABEL_VALUES, labelled_cases
from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY
from scarnet_cli.cli.paths import EXISTING_FILE


@click.command(
    epilog="Example: scarnet chain emidec --cine acdc/cases.csv --cine-values acdc/values.csv --out runs/scarnet"
)
@click.argument("cases", type=CASES)
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Folder of the trainings.")
@FOLDS
@LABEL_VALUES
@click.option("--cine", type=CASES, help="Cine hearts with contours, to learn outlines from: no scar is drawn in them.")
@click.option("--cine-values", type=EXISTING_FILE, help="Their label values.")
@click.option("--member", "only", multiple=True, help="Train this one only: a fold's number, or all. May be repeated.")
@click.option("--steps", type=click.IntRange(1), help="Steps of a slice network; 1400 if not given.")
@click.option("--stack-steps", type=click.IntRange(1), help="Steps of a stack network; 950 if not given.")
@click.option(
    "--batch", type=click.IntRange(2), help="Slices per step, and a quarter as many of --cine; 32 if not given."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of weights, order and augmentation.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; all cores if not given.")
def chain(
    cases: Path,
    out: Path,
    folds: int,
    label_values: Path | None,
    cine: Path | None,
    cine_values: Path | None,
    only: tuple[str, ...],
    steps: int | None,
    stack_steps: int | None,
    batch: int | None,
    seed: int,
    threads: int | None,
) -> None:
    """Train ScarNet on single slices, and on its probabilities for cases not seen a network over the whole stack.

    Writes OUT/fold_0 ... and OUT/fold_all, each with weights.safetensors, as `scarnet evaluate --segment-run OUT` reads
    them. Started again it goes on with what is missing. On a GPU a fold takes about a minute, on a CPU hours.
    """
    import torch

    from scarnet_cli.cases.folds import deal_cases
    from scarnet_cli.model.checkpoints import load_lite_medsam
    from scarnet_cli.model.weights import best_device
    from scarnet_cli.train.chain import ChainSettings, Material, train_chain
    from scarnet_cli.train.hearts import make_hearts
    from scarnet_cli.train.optimising import Pace
    from scarnet_cli.train.presets import PRESETS

    if threads:
        torch.set_num_threads(threads)
    spec, device = PRESETS["scarnet"].spec, best_device()
    everyone = labelled_cases(cases, label_values)
    material = Material(
        make_hearts(everyone, spec).to(device),
        make_hearts(labelled_cases(cine, cine_values), spec, shows_scar=False).to(device) if cine else None,
        deal_cases(everyone, folds),
    )
    if unknown := sorted(set(only) - set(material.members)):
        message = f"{', '.join(unknown)} is not a member; there are {', '.join(material.members)}."
        raise click.BadParameter(message, param_hint="--member")
    base = ChainSettings()
    batch = batch or base.slices.batch
    # two at the least, for batch norms
    cine_batch = max(2, batch * base.slices.cine_batch // base.slices.batch)
    settings = replace(
        base,
        slices=replace(base.slices, seed=seed, batch=batch, cine_batch=cine_batch),
        stacks=replace(base.stacks, seed=seed),
        slice_pace=Pace(steps or base.slice_pace.steps),
        stack_pace=Pace(stack_steps or base.stack_pace.steps),
    )
    start = load_lite_medsam(spec, device).network
    train_chain(material, start, spec, settings, out, only or material.members)
    click.echo(f"Wrote {out}/fold_*/weights.safetensors of {', '.join(only or material.members)}.", err=True)
