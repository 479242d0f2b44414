"""Explain a study's selection: every stack, and why it was taken or left. Nothing is decided here."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scarnet_cli.dicom.series.candidates import AGAINST, BY_DIRECTION, BY_HEADER, BY_NAME, BY_SITE, UNKNOWN, Candidate
from scarnet_cli.dicom.series.selection import Selection, StackVerdict

WIDTH: Final = 100
_EVIDENCE: Final = {BY_SITE: "site", BY_NAME: "name", BY_HEADER: "header", UNKNOWN: "-", AGAINST: "not"}
_VIEW: Final = {BY_NAME: "name", BY_DIRECTION: "angle", UNKNOWN: "-", AGAINST: "not"}
_LEGEND: Final = (
    "mm: between slices. angle: between the slices' normal and the heart's long axis, 0 for a short axis. rep: frames "
    "a position. LGE, short axis: by what they are shown (site, name, header, angle)."
)
_EXAMPLES: Final = 3


def explained(study_id: str, selection: Selection) -> str:
    """Return a text of at most `WIDTH` columns: the table of a study's stacks, and the reasons for each."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, no_color=True, highlight=False, legacy_windows=False)
    decisions = selection.decisions
    words = f"{len(decisions)} stacks in {len(selection.series)} series, in the order of preference"
    console.print(Text(f"Study {study_id}: {words}\n"))
    if decisions:
        console.print(_table(decisions), Text(f"\n{_LEGEND}\n"))
    for number, decision in enumerate(decisions, 1):
        _print(console, Text(f"{number}. {_name(decision.candidate)}"), _details(decision))
    placed = {uid for d in decisions for uid in d.candidate.stack.series_uids}
    for series in selection.series:
        if (series.series_uid or "") not in placed:
            _print(console, Text(f"Left: {series.description or '(no name)'}"), [f"why    {series.reason}"])
    for line in _advice(selection):
        console.print(Text(line))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _print(console: Console, head: Text, lines: Sequence[str]) -> None:
    console.print(head)
    for line in lines:
        table = Table.grid(padding=(0, 1))
        table.add_row(*(Text(part.strip()) for part in (line[:6], line[6:])))
        console.print(Padding(table, (0, 0, 0, 3)))
    console.print()


def _table(decisions: Sequence[StackVerdict]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("#", "", "stack"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=34)
    for name in ("slices", "mm", "angle", "rep"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("time", "component", "LGE", "short axis"):
        table.add_column(name, no_wrap=True)
    for number, decision in enumerate(decisions, 1):
        c = decision.candidate
        cells = (
            str(number),
            "TAKEN" if decision.chosen else "left",
            _name(c),
            str(len(c.stack.frames)),
            f"{c.spacing_mm:.1f}" if c.spacing_mm else "-",
            f"{c.angle_deg:.0f}",
            f"{c.stack.most_repeats:.0f}",
            _clock(c.stack.acquired_s),
            c.stack.component or "-",
            _EVIDENCE[c.evidence],
            _VIEW[c.view],
        )
        table.add_row(*map(Text, cells))
    return table


def _name(candidate: Candidate) -> str:
    return candidate.stack.name or "(no name)"


def _clock(seconds: float) -> str:
    if seconds < 0:
        return "-"
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}:{second:02d}"


def _details(decision: StackVerdict) -> list[str]:
    """Return lines on a stack, each with a label in its first six characters and a text."""
    c = decision.candidate
    named = [f"{found.value} by {found.words}; " for found in c.names.findings if found.rule.says == "view"]
    component = f"{c.stack.component} by " if c.stack.component else ""
    lines = [f"why    {decision.reason}"]
    lines += [f"LGE    {c.evidence_words}"] if c.evidence_words not in decision.reason else []
    lines += [
        f"view   {''.join(named)}{c.angle_deg:.0f} degrees from {c.axis.words}",
        f"values {component}{c.stack.component_by.words}",
    ]
    lines += [
        f"       {f.rule.says} by {f.words}" for f in c.names.findings if f.rule.says in ("averaged", "uncorrected")
    ]
    if c.refusal is not None:
        return lines
    lines += [f"{'flag' if note.flag else 'rule':6} {note.code}: {note.words}" for note in c.stack.notes]
    if c.stack.problem is not None and str(c.stack.problem) not in decision.reason:
        lines.append(f"grid   {c.stack.problem}")
    return lines


def _advice(selection: Selection) -> Iterator[str]:
    """Yield advice on how to get another choice."""
    if selection.error is not None:
        yield f"Nothing was taken ({selection.error.code}): {selection.error}\n"
    taken = selection.stack.name if selection.stack else None
    # With a choice, only stacks that also qualify; without one, all stacks that the geometry does not contradict.
    others = [d.candidate.stack.name for d in selection.decisions if d.candidate.mendable]
    if taken is not None:
        others = [d.candidate.stack.name for d in selection.decisions if d.candidate.refusal is None]
    named = [name for name in dict.fromkeys(others) if name and name != taken]
    if named:
        yield "To take one of these instead, put its rule into a file and give it with --series-rules:\n"
        for name in named[:_EXAMPLES]:
            yield f"- series: take\n  description: {json.dumps(name, ensure_ascii=False)}\n  why: (your reason)\n"
    elif selection.error is not None and selection.decisions:
        yield (
            "No rule can help: what is against the stacks is their geometry, or they have no name that a rule could "
            "give. Give the right series' folder in a samplesheet, or leave the study out."
        )
