"""What a fault is, and what is written down when it was injected."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from scarnet_cli.files import read_json, write_json

SceneT = TypeVar("SceneT")


class Promise(StrEnum):
    """How a fault has to end."""

    GOES_ON = "goes on"  # exit code 0, and everything is as in an undisturbed run, without anybody's doing
    SAID = "said"  # the run ends with one message; once that is mended, -resume gives what an undisturbed run gives
    STUDY = "one study"  # exit code 0; that study is in `failures`, the others are as in an undisturbed run


@dataclass(frozen=True, slots=True)
class Ended:
    """What a disturbed run or command left: its exit code and all that it printed."""

    exit_code: int
    output: str


class EndedEarly(Exception):  # noqa: N818 (an event, not an error of ours)
    """The run ended before the fault could be injected."""

    def __init__(self, ended: Ended, what: str) -> None:
        super().__init__(f"the run ended before there was {what}")
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Fault(Generic[SceneT]):
    """One fault, of a run (RunScene) or of a stage's command (CommandScene).

    Attributes:
        name: Short, in kebab case.
        group: Heading in the table.
        done: What was done, for people.
        promise: How it has to end.
        inject: Disturbs a run or a command of the scene, mends the cause afterwards, and returns how it ended.
        says: Pattern of the line that the user has to see; where it is empty, any will do.
        codes: With Promise.STUDY: the codes that the study may have in `failures`.
        exit_codes: With Promise.SAID: those that are right.
        again: What the user adds to -resume then.
        command: It disturbs a command (CommandScene), not a run.
        dicom: The run writes results as DICOM, too (EXPORT).
        quick: `make test` injects it, too; it takes seconds.
    """

    name: str
    group: str
    done: str
    promise: Promise
    inject: Callable[[SceneT], Ended]
    says: str = ""
    codes: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = (1,)
    again: tuple[str, ...] = ()
    quick: bool = False
    command: bool = False
    dicom: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fault: a row of the table.

    Attributes:
        name: Of the fault.
        said: What the user sees, two lines at most.
        exit_code: Of the disturbed run or command.
        accounted: Studies in the end.
        equal: When the results were those of an undisturbed run: at once, after -resume, or never and why.
        wrong: How it ended otherwise than promised; empty where it did as promised.
        seconds: How long all of it took.
        code: Digest of the code that ran.
    """

    name: str
    said: list[str]
    exit_code: int | None
    accounted: str
    equal: str
    wrong: list[str]
    seconds: float
    code: str

    def write(self, path: Path) -> None:
        write_json(path, asdict(self))


def read_outcome(path: Path) -> Outcome:
    return Outcome(**read_json(path))
