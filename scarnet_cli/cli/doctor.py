"""`scarnet doctor`: what is missing or wrong on this machine."""

import sys
from pathlib import Path
from typing import Final

import rich_click as click

from scarnet_cli.cli.paths import EXISTING_FOLDER
from scarnet_cli.doctor.checks import State
from scarnet_cli.doctor.machine import examine
from scarnet_cli.doctor.profiles import Profile, read_profiles
from scarnet_cli.errors import InputError
from scarnet_cli.model.store import SHIPPED

COLOURS: Final = {State.OK: "green", State.NOTE: "yellow", State.WRONG: "red"}


def _chosen_profiles(ctx: click.Context, param: click.Parameter, value: str | None) -> list[Profile]:
    try:
        return read_profiles(value.split(",") if value else [])
    except InputError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(epilog="Example: scarnet doctor --work /scratch --profile slurm,apptainer")
@click.option("--weights", type=click.Path(file_okay=False, path_type=Path), default=SHIPPED, help="Weights folder.")
@click.option(
    "--work", type=EXISTING_FOLDER, default=Path(), help="Folder that runs will write to; its disk is checked."
)
@click.option(
    "--profile",
    metavar="NAMES",
    callback=_chosen_profiles,
    help="Check what these profiles of the pipeline need, as -profile of Nextflow has them; answers within 5 seconds.",
)
def doctor(weights: Path, work: Path, profile: list[Profile]) -> None:
    """Say in plain words what is missing or wrong on this machine; exit code 1 if the pipeline cannot run."""
    findings = examine(weights, work.resolve(), profile)
    for finding in findings:
        click.echo(f"{click.style(f'{finding.state:<6}', COLOURS[finding.state])}{finding.subject:<12}{finding.words}")
        if finding.advice:
            click.echo(f"{'':<18}-> {finding.advice}")
    wrong = sum(finding.state is State.WRONG for finding in findings)
    if wrong:
        click.echo(f"\n{wrong} {'thing is' if wrong == 1 else 'things are'} wrong; see the arrows above.", err=True)
        sys.exit(1)
    click.echo("\nNothing is wrong.")
