"""A look through all fragments before anything is merged: which studies each table has, and where they lie."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from scarnet_cli.gather.fragments import Fragment

# Those whose studies are counted; their ids are all that gathering keeps of the whole cohort.
COUNTED: Final = ("studies", "scans", "failures")
# Those whose studies must have a scan in the same fragment.
_OF_SCANS: Final = ("slices", "segments")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One row group: its first and last study, where it is, and its number there."""

    first: str
    last: str
    fragment: int
    part: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What the fragments hold.

    Attributes:
        fragments: The fragments, in the order that `Span.fragment` counts in.
        ids: Table of `COUNTED` -> its study ids, as often as they are there.
        spans: Table -> its row groups, sorted; those without rows left out.
        orphans: Studies with slices or segments but without a scan in the same fragment, with their place.
        model_sha256: Digests of the weights that measured the scans, sorted and joined with commas.
    """

    fragments: Sequence[Fragment]
    ids: dict[str, pa.ChunkedArray]
    spans: dict[str, list[Span]]
    orphans: list[str]
    model_sha256: str


@dataclass(slots=True)
class _Notes:
    """What is noted down while the fragments are gone through."""

    ids: dict[str, list[pa.Array]] = field(default_factory=lambda: defaultdict(list))
    spans: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    orphans: list[str] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)


def survey(fragments: Sequence[Fragment], advance: Callable[[], None]) -> Survey:
    """Read the ids of every fragment once.

    Args:
        fragments: The fragments.
        advance: Called after each of them.

    Raises:
        CohortError: A table is no Parquet or does not fit its schema.
    """
    notes = _Notes()
    for number, fragment in enumerate(fragments):
        _note(fragment, number, notes)
        advance()
    return Survey(
        fragments=fragments,
        ids={table: pa.chunked_array(notes.ids[table], pa.string()) for table in COUNTED},
        spans={table: sorted(spans) for table, spans in notes.spans.items()},
        orphans=sorted(notes.orphans),
        model_sha256=",".join(sorted(notes.digests)),
    )


def _note(fragment: Fragment, number: int, notes: _Notes) -> None:
    own: dict[str, list[pa.Array]] = {}
    for table in sorted(fragment.tables):
        columns = ("study_id", "model_sha256") if table == "scans" else ("study_id",)
        own[table] = []
        for part, rows in enumerate(fragment.parts(table, *columns)):
            ids = rows["study_id"].combine_chunks()
            if len(ids):
                ends = pc.call_function("min_max", [ids])
                notes.spans[table].append(Span(ends["min"].as_py(), ends["max"].as_py(), number, part))
                own[table].append(ids)
            if table == "scans":
                notes.digests |= {digest for digest in rows["model_sha256"].unique().to_pylist() if digest}
        if table in COUNTED:
            notes.ids[table] += own[table]
    scans = _different(own.get("scans", []))
    for table in set(_OF_SCANS) & own.keys():
        notes.orphans += [f"{study} ({table} of {fragment.name})" for study in _different(own[table]) - scans]


def _different(ids: Sequence[pa.Array]) -> set[str]:
    return {study for part in ids for study in part.unique().to_pylist()}
