"""Distinguishing faults of the machine from failures of a study: a full disk must never count as a broken scan."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scarnet_cli.errors import IntermediateError, MachineError, OutOfMemoryError, ScarnetError

# The operating system's errors of disks, file servers and limits, which do not depend on the file.
_CAUSES: Final = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk can only be read",
    errno.EIO: "the disk or file server reports an input/output error",
    errno.ESTALE: "the file server no longer knows an open file",
    errno.ENOTCONN: "the file server is not connected",
    errno.ESHUTDOWN: "the file server was shut down",
    errno.EHOSTDOWN: "the file server is down",
    errno.ETIMEDOUT: "the file server does not answer",
    errno.ENODEV: "the disk is gone",
    errno.ENXIO: "the disk is gone",
    errno.EFBIG: "files may not become that large here (ulimit -f)",
    errno.EMFILE: "too many files are open (ulimit -n)",
    errno.ENFILE: "too many files are open on the machine",
    errno.ENOLCK: "the file server gives no more locks",
}
# How libraries report that one of their files could not be loaded because memory ran out.
_MEMORY_WORDS: Final = ("cannot allocate memory", "failed to map segment")


def machine_fault(error: BaseException) -> MachineError | None:
    """Return the fault of the machine behind an exception or its causes, or None if there is none.

    The message holds neither path nor text of the exception, since they may name a patient.
    """
    for cause in _chain(error):
        if isinstance(cause, MachineError):
            return cause
        if _is_memory(cause):
            return OutOfMemoryError("out_of_memory", "Memory ran out; give the task more, or run fewer at once.")
        if isinstance(cause, OSError) and cause.errno in _CAUSES:
            message = f"The machine failed: {_CAUSES[cause.errno]} ({errno.errorcode[cause.errno]}). Fix that and "
            return MachineError("machine", message + "run again with -resume; no study is lost by it.")
        if isinstance(cause, ImportError):
            message = f"The software is damaged here: {cause.name or 'a library'} cannot be loaded; set it up again."
            return MachineError("library", message)
    return None


def own_fault(error: BaseException) -> MachineError | None:
    """Return the fault behind an exception if it is a limit of this process (memory, open files), or None."""
    for cause in _chain(error):
        if _is_memory(cause) or (isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE)):
            return machine_fault(cause)
    return None


def not_written(what: str) -> MachineError:
    """Return the fault for a file that could not be written completely, when the library does not say why."""
    message = f"{what} could not be written whole: the disk is full, over quota or failing. Fix that and run again "
    return MachineError("not_written", message + "with -resume; no study is lost by it.")


def advice_on_damage(stage_directory: Path) -> str:
    """Return the advice on a damaged file in a stage's output directory."""
    return (
        f"If it lies in the pipeline's work directory, delete {stage_directory.resolve()} and run again with -resume, "
        "which makes it again."
    )


@contextmanager
def reading_intermediate(path: Path) -> Iterator[Path]:
    """Turn any error in reading an earlier stage's file into a message that says what to delete.

    Args:
        path: STAGE_DIRECTORY/studies/<study_id>/<file>.

    Raises:
        MachineError: The machine failed.
        IntermediateError: The file is missing or damaged.
    """
    try:
        yield path
    except (ScarnetError, OSError, EOFError, ValueError, LookupError) as error:
        if fault := machine_fault(error):
            raise fault from error
        name = "/".join(path.parts[-3:])
        message = f"{name}, which an earlier stage wrote, is gone or damaged. {advice_on_damage(path.parents[2])}"
        raise IntermediateError("damaged_intermediate", message) from error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and the chain of its causes and contexts."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, ImportError | OSError) and any(word in str(error).lower() for word in _MEMORY_WORDS)
