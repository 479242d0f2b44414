"""How a stage is executed: its protection against studies that crash, hang or exhaust the memory."""

from dataclasses import dataclass
from typing import Final

from scarnet_cli.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Execution:
    """Options for running a stage.

    Attributes:
        isolate: Whether studies run in separate processes, each replaced if it dies or hangs, or in this process.
        jobs: Number of separate processes, each with one study at a time; more than one isolate in any case.
        will_retry: Whether running out of memory ends the stage, which will be retried with more, or fails the study.
        study_minutes: Time limit of a study in a separate process.
        progress: Shows the progress over the studies.
    """

    isolate: bool = False
    jobs: int = 1
    will_retry: bool = False
    study_minutes: float = 30.0
    progress: Progress = no_progress


IN_PROCESS: Final = Execution()
