"""The command `scarnet`: each subcommand has its own module, which is imported only when it is called."""

import importlib
import logging
import os
import sys
import time
from difflib import get_close_matches
from typing import Any, Final

import rich_click as click

from scarnet_cli import __version__
from scarnet_cli.errors import MachineError, ScarnetError

# Set before torch is loaded, so that its waiting threads sleep. Spinning threads take a core from other processes: on a
# fully loaded machine, a stage with two threads took twice as long as with one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Command -> one line of help, so that `scarnet --help` imports no command. Its module is scarnet_cli.cli.<name>.
COMMANDS: Final[dict[str, str]] = {
    "index": "Find the studies of a directory or samplesheet, and their LGE short-axis stacks.",
    "samplesheet": "Write a private samplesheet of a directory's studies, to fill in.",
    "explain": "Say why each stack of one study was taken or left.",
    "find": "Print the path that a key in the tables stands for.",
    "fetch": "Fetch a batch's images from a DICOMweb server.",
    "convert": "Turn studies into volumes with true geometry.",
    "crop": "Find the heart and crop round it.",
    "segment": "Label blood pool, myocardium, scar and microvascular obstruction.",
    "quantify": "Measure the scar.",
    "gather": "Merge the measures of all batches into the cohort's tables.",
    "report": "Make the page that shows the cohort.",
    "figures": "Make a paper's figures and Table 1 of a finished run.",
    "diff": "Say what differs between the tables of two runs.",
    "export": "Write results as DICOM Segmentation and Structured Report.",
    "store": "Store them on a DICOMweb server.",
    "run": "Do all of this for one directory, without Nextflow.",
    "folds": "Check labelled cases and deal their patients to folds.",
    "train": "Train a network on labelled cases.",
    "chain": "Train ScarNet and its stack network, all folds and all cases, with one command.",
    "evaluate": "Score one model on held-out cases against the experts' contours.",
    "benchmark": "Compare models that were evaluated on the same cases.",
    "weights": "List, verify and import the weights of networks.",
    "nnunet": "Train nnU-Net on the same folds, for the benchmark.",
    "phantom": "Make studies with known answers, as DICOM.",
    "dicomize": "Turn NIfTI volumes or EMIDEC cases into DICOM studies.",
    "versions": "Print the versions of the software that makes the results.",
    "doctor": "Say what is missing or wrong on this machine.",
}


class LazyCommand(click.RichCommand):
    """A stand-in for a command until it is called, so that `scarnet --help` and other commands never import it."""

    def __init__(self, name: str) -> None:
        """Take the help from the table above."""
        super().__init__(name=name, help=COMMANDS[name])

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 (click's own)
    ) -> click.Context:
        """Import the command's module and return the context of its command."""
        name = str(self.name).replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"scarnet_cli.cli.{name}"), name)
        return command.make_context(info_name, args, parent, **extra)


class LazyGroup(click.RichGroup):
    """A group of commands that are imported when they are called: `scarnet convert` never imports torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the pipeline."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command's stand-in."""
        return LazyCommand(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; an unknown one is answered with the one that is nearest."""
        near = get_close_matches(args[0], COMMANDS, n=1)
        if near and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
@click.option("--verbose", "-v", is_flag=True, help="Log every choice, not only warnings.")
def cli(verbose: bool) -> None:
    """From late gadolinium enhancement MRI to the scar burden of the left ventricle."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def main() -> None:
    """Run the command line; an error that the user can act on becomes a message on stderr and an exit code.

    Exit code 1 means that the work failed, 75 that the machine failed, and 137 that memory ran out.
    """
    try:
        cli(prog_name="scarnet")
    except ScarnetError as error:
        _end(error)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "torchvision", "segment_anything"):
            raise
        advice = "`make setup`, or `pip install 'scarnet-cli[torch]'`"
        click.echo(f"Error: this needs {error.name}, which is not installed here: {advice}.", err=True)
        sys.exit(1)
    except (OSError, MemoryError, ImportError) as error:
        from scarnet_cli.faults import machine_fault

        if fault := machine_fault(error):
            _end(fault)
        raise


def _end(error: ScarnetError) -> None:
    """Print the message and exit with the error's exit code; after a fault of the machine, only after a pause.

    The pause is SCARNET_FAULT_PAUSE_S seconds, in which the machine may recover before a retry.
    """
    click.echo(f"Error: {error}", err=True)
    if error.exit_code == MachineError.exit_code:
        time.sleep(float(os.environ.get("SCARNET_FAULT_PAUSE_S") or 0))
    sys.exit(error.exit_code)
