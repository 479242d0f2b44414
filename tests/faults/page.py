"""Writes the table of docs/reliability.md."""

from collections.abc import Mapping

from faults.fault import Outcome


def write_page(outcomes: Mapping[str, Outcome], code: str) -> None:
    pass
