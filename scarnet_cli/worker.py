"""A process that does tasks one after another, and can be replaced when one of them crashes or hangs it."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Generic, TypeVar

from scarnet_cli.errors import MachineError

logger = logging.getLogger(__name__)

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_OOM_SCORE: Final = "1000"
_PATIENCE_S: Final = 10.0
_START_S: Final = 600.0  # for a process to import its libraries and to load a network from a slow disk
# Not forked: threads of torch and of other libraries do not live on in a forked child, which then waits for them.
_SPAWN: Final = multiprocessing.get_context("spawn")


class ProcessDeath(Exception):  # noqa: N818 (an event, not an error of ours)
    """The process ended during a task.

    Attributes:
        signal: Number of the signal that ended it; None if it left by itself.
        status: Its exit status if it left by itself, else negative.
        killed: Whether it was ended from outside, as a system short of memory ends processes.
    """

    def __init__(self, exit_code: int) -> None:
        """Take the exit code as multiprocessing gives it: negative for a signal."""
        super().__init__(exit_code)
        self.signal = -exit_code if exit_code < 0 else None
        self.status = exit_code
        self.killed = self.signal in (signal.SIGKILL, signal.SIGTERM)


class TaskTimeout(Exception):  # noqa: N818
    """A task took longer than it may; its process was killed."""


class Worker(Generic[_Task, _Result]):
    """A spawned process; it prepares itself once, such as by loading a network, and then does task after task."""

    def __init__(self, prepare: Callable[[], Callable[[_Task], _Result]]) -> None:
        """Start the process.

        Args:
            prepare: Called in the process; returns the function that does a task. It, tasks and results must pickle.
        """
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(prepare, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_ready(self, limit_s: float) -> None:
        """Wait until the process is prepared; before the first task.

        Raises:
            ProcessDeath: The process ended before.
            TaskTimeout: It took longer than `limit_s` seconds.
            BaseException: Whatever `prepare` raised.
        """
        self._receive(limit_s)

    def do(self, task: _Task, limit_s: float) -> _Result:
        """Do one task in the process.

        Raises:
            ProcessDeath: The process ended before the task did.
            TaskTimeout: It took longer than `limit_s` seconds.
            BaseException: Whatever the work raised.
        """
        with suppress(ConnectionError):  # it has died; receiving says how
            self._connection.send(task)
        return self._receive(limit_s)

    def _receive(self, limit_s: float) -> _Result:
        try:
            if not self._connection.poll(limit_s):
                self.kill()
                raise TaskTimeout
            result, error = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join(_PATIENCE_S)
            raise ProcessDeath(self._process.exitcode or 0) from None
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Let the process end by itself."""
        self._connection.close()
        self._process.join(_PATIENCE_S)
        self.kill()

    def kill(self) -> None:
        """End the process, whatever it is doing; one that the kernel cannot end now is left to it."""
        self._process.kill()
        self._process.join(_PATIENCE_S)


def start_worker(prepare: Callable[[], Callable[[_Task], _Result]], stage: str) -> Worker[_Task, _Result]:
    """Start a worker and wait until it is prepared.

    Raises:
        MachineError: Its process ended or hung before it was.
        BaseException: Whatever `prepare` raised.
    """
    worker = Worker(prepare)
    try:
        worker.wait_until_ready(_START_S)
    except (ProcessDeath, TaskTimeout) as event:
        message = f"The process of {stage} {describe(event)} before it did anything: memory ran out, or the "
        raise MachineError("not_started", message + "software is damaged here; see `scarnet doctor`.") from None
    return worker


def describe(event: ProcessDeath | TaskTimeout) -> str:
    """Say what happened, after the name of who or what did it."""
    return "took too long" if isinstance(event, TaskTimeout) else "ended its process"


def _serve(prepare: Callable[[], Callable[[_Task], _Result]], connection: Connection) -> None:
    """Prepare, say so, and do the tasks that come through the connection until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which says so once
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _offer_to_oom_killer()
    with suppress(EOFError, ConnectionError):
        work, error = _answer(prepare)
        _send(connection, (None, error))
        while work is not None:
            _send(connection, _answer(partial(work, connection.recv())))


def _answer(function: Callable[[], _Result]) -> tuple[_Result | None, BaseException | None]:
    """Call a function and return its result, or what it raised: the parent decides what that means."""
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001
        return None, error


def _send(connection: Connection, answer: tuple[object, BaseException | None]) -> None:
    try:
        connection.send(answer)
    except (TypeError, AttributeError, ValueError):  # an exception of a library that does not pickle
        connection.send((None, RuntimeError(type(answer[1]).__name__)))


def _leave_with_parent() -> None:
    """End this process when its parent is gone, so that a killed task leaves nothing running."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _offer_to_oom_killer() -> None:
    """Let the kernel pick this process, not its parent, when memory runs out."""
    try:
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    except OSError:  # no Linux, or not allowed: the kernel then chooses by size, most often this process too
        logger.debug("oom_score_adj cannot be set")
