"""Defaults of INDEX, in a module of their own so that a command's help imports nothing else."""

from typing import Final

BATCH_LEAST: Final = 8
BATCH_GREATEST: Final = 32
# How long one file may take to be read, beside half a second for each megabyte.
FILE_SECONDS: Final = 120.0
