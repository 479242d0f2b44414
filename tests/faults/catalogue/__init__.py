"""All faults, in the order of the table."""

from typing import Any

from faults.catalogue import (
    cluster,
    disks,
    hangs,
    inputs,
    intermediates,
    memory,
    runs,
    settings,
    signals,
    studies,
    system_calls,
    weights,
)
from faults.fault import Fault

_ROOMS = (signals, hangs, studies, disks, system_calls, memory, weights, intermediates, inputs, runs, cluster, settings)
FAULTS: dict[str, Fault[Any]] = {fault.name: fault for room in _ROOMS for fault in room.FAULTS}
