"""Injects one fault and judges how it ended."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from faults.fault import Ended, EndedEarly, Fault, Outcome, Promise
from faults.said import complaints, plain, shown


class Scene(Protocol):
    """Where a fault is injected: RunScene or CommandScene."""

    @property
    def study(self) -> str: ...
    @property
    def names(self) -> dict[str, str]: ...
    def again(self, *arguments: str) -> Ended: ...
    def differences(self, *leave: str) -> list[str]: ...
    def failed(self) -> dict[str, str]: ...
    def said_of_failures(self) -> list[str]: ...
    def accounted(self) -> str: ...


def play(fault: Fault[Any], scene: Scene, code: str) -> Outcome:
    """Inject the fault, let the user go on where that is needed, and write down what came of it."""
    begun = time.monotonic()
    early: list[str] = []
    try:
        ended = fault.inject(scene)
    except EndedEarly as event:
        ended, early = event.ended, [str(event)]
    wrong = early + _JUDGES[fault.promise](fault, scene, ended)
    said = shown(ended.output, fault.says, scene.names)
    if fault.promise is Promise.STUDY and ended.exit_code == 0 and scene.failed():
        said = [plain(line, scene.names) for line in scene.said_of_failures()[:2]]
    wrong += complaints(ended.output, fault.says)
    differing = scene.differences() if ended.exit_code == 0 else ["not finished"]
    equal = "at once" if not differing else ""
    if differing:
        again = scene.again(*fault.again)
        left = scene.differences()
        equal = f"no: {'; '.join(left[:3])}" if left else "after -resume"
        wrong += [f"-resume ends with exit code {again.exit_code}"] if again.exit_code else []
        wrong += [f"after -resume: {plain(difference, scene.names)}" for difference in left[:3]]
    seconds = round(time.monotonic() - begun, 1)
    return Outcome(fault.name, said, ended.exit_code, scene.accounted(), equal, wrong, seconds, code)


def _judge_going_on(_: Fault[Any], scene: Scene, ended: Ended) -> list[str]:
    if ended.exit_code != 0:
        return [f"exit code {ended.exit_code} instead of 0"]
    return scene.differences()[:3]


def _judge_saying(fault: Fault[Any], _: Scene, ended: Ended) -> list[str]:
    if ended.exit_code in fault.exit_codes:
        return []
    return [f"exit code {ended.exit_code} instead of {' or '.join(map(str, fault.exit_codes))}"]


def _judge_study(fault: Fault[Any], scene: Scene, ended: Ended) -> list[str]:
    if ended.exit_code != 0:
        return [f"exit code {ended.exit_code} instead of 0"]
    failed = scene.failed()
    told = [] if failed.keys() == {scene.study} else [f"{len(failed)} studies failed instead of one"]
    told += [f"its code is {code}" for code in failed.values() if code not in fault.codes]
    return told + scene.differences(scene.study)[:3]


_JUDGES: dict[Promise, Callable[[Fault[Any], Scene, Ended], list[str]]] = {
    Promise.GOES_ON: _judge_going_on,
    Promise.SAID: _judge_saying,
    Promise.STUDY: _judge_study,
}
