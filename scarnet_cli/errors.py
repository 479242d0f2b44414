"""The one exception family. Every message says what (with the value), where, and what to do."""

from typing import ClassVar


class ScarnetError(Exception):
    """Work failed for a reason that the user can act on; the command line turns it into exit code 1.

    `code` is a short snake_case word that programs read (the `code` column of the failures table); the message is for
    people. Neither ever holds a patient's name, birth date or a file path from the input (say "file 3 of 12" instead).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["ScarnetError"], tuple[str, str]]:
        """Let it travel between processes: an exception is else made again from its message alone."""
        return type(self), (self.code, str(self))


class DicomError(ScarnetError):
    """A file, series or study cannot be read or turned into a volume."""


class GeometryError(ScarnetError):
    """Two grids differ, or a volume's geometry makes no sense."""


class ModelError(ScarnetError):
    """Weights, model configuration and input do not fit each other."""


class TrainingError(ScarnetError):
    """Training cannot start or go on."""


class QuantificationError(ScarnetError):
    """A measure cannot be computed from this image and label map."""


class CohortError(ScarnetError):
    """Tables or fragments do not add up."""


class InputError(ScarnetError):
    """The input directory, samplesheet or another file that the user named is wrong."""


class PacsError(ScarnetError):
    """A DICOMweb server does not answer, refuses, or answers something else than DICOMweb lays down."""


class MachineError(ScarnetError):
    """The machine failed, not the study: a disk, a file server, memory or a library.

    It ends the whole task with an exit code that says "try again", and is never written down as a study's failure.
    """

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class OutOfMemoryError(MachineError):
    """Memory ran out, or the process was killed, as a system short of memory does."""

    exit_code = 137  # what a shell reports of a killed process; such tasks are tried again with more memory


class IntermediateError(MachineError):
    """A file that an earlier stage wrote is gone or damaged; trying again would read the same file."""

    exit_code = 1
