"""The one family of exceptions. Every message says what is wrong (with the value), where, and what to do."""

from typing import ClassVar


class ScarnetError(Exception):
    """An error that the user can act on; the command line turns it into exit code 1.

    `code` is a short snake_case word for programs (the `code` column of the failures table); the message is for people.
    Neither ever holds a patient's name, birth date or a file path of the input (say "file 3 of 12" instead).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str) -> None:
        """Set the code and the message."""
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["ScarnetError"], tuple[str, str]]:
        """Make the error picklable: by default an exception is rebuilt from its message alone."""
        return type(self), (self.code, str(self))


class DicomError(ScarnetError):
    """A file, series or study that cannot be read or turned into a volume."""


class GeometryError(ScarnetError):
    """Two grids that differ, or a volume with an invalid geometry."""


class ModelError(ScarnetError):
    """Weights, model configuration or input that do not fit each other."""


class TrainingError(ScarnetError):
    """A training that cannot start or continue."""


class QuantificationError(ScarnetError):
    """An image and label map that cannot be measured."""


class CohortError(ScarnetError):
    """Tables or fragments that are inconsistent or unreadable."""


class InputError(ScarnetError):
    """A wrong input directory, samplesheet or other file that the user named."""


class PacsError(ScarnetError):
    """A DICOMweb server that does not answer, refuses, or does not comply with the standard."""


class MachineError(ScarnetError):
    """A fault of the machine, not of a study: a disk, a file server, memory or a library.

    It ends the whole task with an exit code that means "try again", and is never recorded as a study's failure.
    """

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class OutOfMemoryError(MachineError):
    """A lack of memory, or a killed process, which usually has the same cause."""

    exit_code = 137  # what a shell reports for a killed process; such tasks are retried with more memory


class AccessError(MachineError):
    """A bucket that is not there or denies access; a retry would get the same answer."""

    exit_code = 1


class IntermediateError(MachineError):
    """A missing or damaged file of an earlier stage; a retry would read the same file."""

    exit_code = 1
