"""Writes the table of docs/reliability.md from the outcomes."""

import html
from collections.abc import Mapping
from itertools import groupby
from textwrap import shorten
from typing import Any

from document import with_parts
from nextflow_launch import REPOSITORY

from faults.fault import Fault, Outcome, Promise
from scarnet_cli.files import write_bytes

PAGE = REPOSITORY / "docs" / "reliability.md"
_COLUMNS = (
    "what was done",
    "what the user sees",
    "exit code",
    "studies accounted for",
    "results equal",
    "ends as promised",
)
_HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
_PROMISES = {Promise.GOES_ON: "goes on by itself", Promise.SAID: "ends and says why", Promise.STUDY: "one study fails"}


def write_page(faults: Mapping[str, Fault[Any]], outcomes: Mapping[str, Outcome], code: str) -> None:
    """Put the table of these outcomes between the page's marks."""
    page = with_parts(PAGE.read_text(), "`make faults`", {"faults": table(faults, outcomes, code)})
    write_bytes(PAGE, page.encode())


def table(faults: Mapping[str, Fault[Any]], outcomes: Mapping[str, Outcome], code: str) -> str:
    """Return a count of the outcomes and a table of each group, in Markdown."""
    well = sum(not outcome.wrong for outcome in outcomes.values())
    older = sum(outcome.code != code for outcome in outcomes.values())
    count = f"{len(outcomes)} faults were injected; {well} ended as promised, {len(outcomes) - well} did not."
    count += f" {older} of them met an earlier state of the code." if older else ""
    shown = [fault for name, fault in faults.items() if name in outcomes]
    parts = [f"{count}\n"]
    for group, members in groupby(shown, key=lambda fault: fault.group):
        rows = "".join(row(fault, outcomes[fault.name]) for fault in members)
        parts.append(f"### {group}\n\n{_HEAD}{rows}")
    return "\n".join(parts)


def row(fault: Fault[Any], outcome: Outcome) -> str:
    said = "<br>".join(f"<code>{cell(line)}</code>" for line in outcome.said)
    promise = _PROMISES[fault.promise]
    ended = f"**no**: {cell(shorten('; '.join(outcome.wrong), 240))}" if outcome.wrong else f"yes: {promise}"
    cells = (
        fault.done.replace("|", "&#124;"),
        said,
        str(outcome.exit_code),
        outcome.accounted,
        cell(shorten(outcome.equal, 120)),
        ended,
    )
    return f"| {' | '.join(cells)} |\n"


def cell(text: str) -> str:
    """Make text fit for a cell: no line, column or markup of its own."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", "&#124;").replace("*", "&#42;")
