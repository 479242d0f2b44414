"""How a stage is executed: what guards it against studies that crash it, hang it or exhaust its memory."""

from dataclasses import dataclass
from typing import Final

from scarnet_cli.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Execution:
    """How a stage goes over its studies.

    Attributes:
        isolate: Studies run in a process apart, which is replaced when it dies or hangs; else in this one.
        will_retry: When memory runs out the stage ends, because it will be run again with more; else the study fails.
        study_minutes: How long a study may take in a process apart.
        progress: Follows the studies.
    """

    isolate: bool = False
    will_retry: bool = False
    study_minutes: float = 30.0
    progress: Progress = no_progress


IN_PROCESS: Final = Execution()
