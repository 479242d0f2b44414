"""The cohort's studies by a label of theirs, such as a trial's arm."""

from collections.abc import Mapping, Sequence
from typing import Final

from scarnet_cli.report.measures import Row

MOST_GROUPS: Final = 12  # drawn beside one another


def groups_of(rows: Sequence[Row], label: str | None) -> dict[str, list[Row]]:
    """Return name -> studies of each group, sorted by name; a study without the label is in none."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if label is not None and row.get(label) is not None:
            groups.setdefault(str(row[label]), []).append(row)
    return dict(sorted(groups.items()))


def largest_of(groups: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Return the largest groups, at most `MOST_GROUPS`, in the same order: more would not be readable."""
    kept = set(sorted(groups, key=lambda name: (-len(groups[name]), name))[:MOST_GROUPS])
    return {name: rows for name, rows in groups.items() if name in kept}
