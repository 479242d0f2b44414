"""`scarnet phantom`: make DICOM studies with known answers."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY


@click.command(epilog="Example: scarnet phantom --studies 6 --out demo/cohort --seed 7 --broken 1")
@click.option("--studies", type=click.IntRange(min=1), required=True, help="Number of studies to make.")
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Output directory.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--broken", type=click.IntRange(min=0), default=0, help="Number of studies to break, from the last.")
def phantom(studies: int, out: Path, seed: int, broken: int) -> None:
    """Make short-axis LGE studies of hearts that do not exist.

    Writes OUT/dicom with the studies in the manner of Siemens, GE and Philips, OUT/truth.parquet and truth.csv with the
    true scar burden, and OUT/truth with the true label maps.
    """
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.phantom.cohort import write_cohort

    if broken > studies:
        message = f"{broken} of {studies} studies cannot be broken."
        raise click.BadParameter(message, param_hint="--broken")
    write_cohort(studies, out, seed=seed, broken=broken, progress=progress_bar)
