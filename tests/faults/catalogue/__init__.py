"""All faults, in the order of the table."""

from typing import Any

from faults.catalogue import signals
from faults.fault import Fault

_ALL: list[Fault[Any]] = [
    *signals.FAULTS,
]
FAULTS = {fault.name: fault for fault in _ALL}
