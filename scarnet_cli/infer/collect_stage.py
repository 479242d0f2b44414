"""What another network's command left, in the place of SEGMENT: its label maps become those of the studies."""

import hashlib
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from scarnet_cli.cases.label_values import LabelValues
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import StudyFile, studies_of
from scarnet_cli.stage.run import run_stage
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.failures import Failure

# A quoted word, or one without quotes; the value of NAME=VALUE is a word of its own.
_WORD: Final = re.compile(r"""'[^']*'|"[^"]*"|[^\s'"=]+""")


@dataclass(frozen=True, slots=True)
class CommandLabels:
    """Label maps that a command made.

    Attributes:
        folder: Holds STUDY.nii.gz (or another format of corrected label maps) for each study.
        command: The command, as the user gave it.
        values: What the label maps' values mean; None if they are those of `Label`.
    """

    folder: Path
    command: str
    values: LabelValues | None = None

    @property
    def name(self) -> str:
        """The command in one line, without folders: they may hold a name."""
        return " ".join(_WORD.sub(_without_folder, self.command).split())

    @property
    def sha256(self) -> str:
        """SHA-256 of the command, in hex."""
        return hashlib.sha256(self.command.encode()).hexdigest()


def collect_labels(converted: Path, made: CommandLabels, out: Path, execution: Execution = IN_PROCESS) -> list[Failure]:
    """Write studies/<id>/{labels.nii.gz, segment.json} and failures.parquet, as SEGMENT does, of a command's labels.

    Returns:
        The failures: studies without a label map, or with one that cannot be used.

    Raises:
        InputError: `converted` is not an output of `convert`, or there are several label maps of a study.
        MachineError: The machine failed, or a file of `convert` is damaged.
    """
    stage = Stage("segment", partial(_prepare, converted, made))
    return run_stage(stage, studies_of(converted, StudyFile.IMAGE), out, execution)


def _prepare(converted: Path, made: CommandLabels) -> Work:
    from scarnet_cli.cases.label_map_files import label_maps_in
    from scarnet_cli.infer.collect_study import collect_study

    return partial(collect_study, converted=converted, files=label_maps_in(made.folder), made=made)


def _without_folder(word: re.Match[str]) -> str:
    folder, slash, name = word[0].rpartition("/")
    quote = folder[0] if folder[:1] in ("'", '"') else ""
    return f"{quote}{name}" if slash else word[0]
