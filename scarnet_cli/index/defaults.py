"""Defaults of INDEX, in a separate module so that a command's help imports nothing else."""

from typing import Final

BATCH_LEAST: Final = 8
BATCH_GREATEST: Final = 32
# Time limit for reading one file, plus half a second for each megabyte.
FILE_SECONDS: Final = 120.0
