"""A process that does one task after another and is replaced when a task crashes or hangs it."""

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
_START_S: Final = 600.0  # time to import libraries and load a network from a slow disk
# Not forked: the threads of torch and other libraries do not survive a fork, and the child would wait for them.
_SPAWN: Final = multiprocessing.get_context("spawn")


class ProcessDeath(Exception):  # noqa: N818 (an event, not an error of ours)
    """The process ended during a task.

    Attributes:
        signal: Number of the signal that ended it; None if it exited by itself.
        status: Its exit status if it exited by itself, else the negative signal number.
        killed: Whether it was killed from outside, for example by a system short of memory.
    """

    def __init__(self, exit_code: int) -> None:
        """Read the exit code as multiprocessing gives it: negative for a signal."""
        super().__init__(exit_code)
        self.signal = -exit_code if exit_code < 0 else None
        self.status = exit_code
        self.killed = self.signal in (signal.SIGKILL, signal.SIGTERM)


class TaskTimeout(Exception):  # noqa: N818
    """A task exceeded its time limit and its process was killed."""


class Worker(Generic[_Task, _Result]):
    """A spawned process that prepares once (loads a network, say) and then does one task after another."""

    def __init__(self, prepare: Callable[[], Callable[[_Task], _Result]]) -> None:
        """Start the process.

        Args:
            prepare: Called in the process; returns the function that does a task. `prepare`, tasks and results must
                pickle.
        """
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(prepare, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def wait_until_ready(self, limit_s: float) -> None:
        """Wait until the process is prepared. Call this before the first task.

        Raises:
            ProcessDeath: The process ended before it was prepared.
            TaskTimeout: It took longer than `limit_s` seconds.
            BaseException: Whatever `prepare` raised.
        """
        self._receive(limit_s)

    def do(self, task: _Task, limit_s: float) -> _Result:
        """Do one task in the process.

        Raises:
            ProcessDeath: The process ended before the task did.
            TaskTimeout: The task took longer than `limit_s` seconds.
            BaseException: Whatever the task raised.
        """
        with suppress(ConnectionError):  # the process has died; _receive tells how
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
        """Let the process exit by itself; kill it if it does not."""
        self._connection.close()
        self._process.join(_PATIENCE_S)
        self.kill()

    def kill(self) -> None:
        """Kill the process; return after a while even if the kernel has not yet ended it."""
        self._process.kill()
        self._process.join(_PATIENCE_S)


def start_worker(prepare: Callable[[], Callable[[_Task], _Result]], stage: str) -> Worker[_Task, _Result]:
    """Start a worker and wait until it is prepared.

    Raises:
        MachineError: The process ended or hung before it was prepared.
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
    """Return a predicate for a log line or message: "took too long" or "ended its process"."""
    return "took too long" if isinstance(event, TaskTimeout) else "ended its process"


def _serve(prepare: Callable[[], Callable[[_Task], _Result]], connection: Connection) -> None:
    """Prepare, report the outcome, and do the tasks that arrive on the connection until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C also reaches the parent, which reports it once
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _offer_to_oom_killer()
    with suppress(EOFError, ConnectionError):
        work, error = _answer(prepare)
        _send(connection, (None, error))
        while work is not None:
            _send(connection, _answer(partial(work, connection.recv())))


def _answer(function: Callable[[], _Result]) -> tuple[_Result | None, BaseException | None]:
    """Return a function's result, or what it raised: the parent decides what to do with that."""
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001
        return None, error


def _send(connection: Connection, answer: tuple[object, BaseException | None]) -> None:
    try:
        connection.send(answer)
    except (TypeError, AttributeError, ValueError):  # some libraries' exceptions do not pickle
        connection.send((None, RuntimeError(type(answer[1]).__name__)))


def _leave_with_parent() -> None:
    """Exit when the parent process is gone, so that a killed task leaves nothing running."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _offer_to_oom_killer() -> None:
    """Make the kernel kill this process, not its parent, when memory runs out."""
    try:
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    except OSError:  # not Linux, or not allowed: the kernel then chooses by size, which is usually this process too
        logger.debug("oom_score_adj cannot be set")
