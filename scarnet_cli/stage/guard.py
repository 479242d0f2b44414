"""How a stage guards itself against studies that crash it, hang it or exhaust its memory."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Guard:
    """What a stage does about such studies.

    Attributes:
        isolate: Studies run in a process apart, which is replaced when it dies or hangs; else in this one.
        will_retry: When memory runs out the stage ends, because it will be run again with more; else the study fails.
        study_minutes: How long a study may take in a process apart.
    """

    isolate: bool = False
    will_retry: bool = False
    study_minutes: float = 30.0


IN_PROCESS: Final = Guard()
