"""The user's own labels of a study (patient, site, group, visit): kept by INDEX alone, put into the tables at the end.

So a corrected label costs a gathering and not the study's conversion, segmentation and measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from scarnet_cli.gather.fragments import Fragment
from scarnet_cli.tables.schema import LABELS, TABLES


@dataclass(frozen=True, slots=True)
class Labels:
    """Study ids with their labels; studies without any are left out."""

    rows: pa.Table

    def added_to(self, table: pa.Table) -> pa.Table:
        """Return a gathered table with the labels of its studies, in those columns of labels that it has."""
        columns = [name for name in LABELS if name in table.column_names]
        if not columns or not self.rows.num_rows:
            return table
        known = pc.SetLookupOptions(value_set=self.rows["study_id"])
        places = pc.call_function("index_in", [table["study_id"]], known)
        for name in columns:
            number = table.column_names.index(name)
            table = table.set_column(number, table.schema.field(name), self.rows[name].take(places))
        return table.combine_chunks()


def read_labels(fragments: Sequence[Fragment]) -> Labels:
    """Read the labels of the fragments' `studies`.

    Raises:
        CohortError: A table is no Parquet or does not fit its schema.
    """
    names = ("study_id", *LABELS)
    schema = pa.schema([TABLES["studies"].field(name) for name in names])
    parts = [part for f in fragments if "studies" in f.tables for part in f.parts("studies", *names)]
    labelled = [part.filter(_any_label(part)) for part in parts]
    return Labels(pa.concat_tables([schema.empty_table(), *labelled]).combine_chunks())


def _any_label(part: pa.Table) -> pa.Array:
    return pc.call_function("is_valid", [pc.call_function("coalesce", [part[name] for name in LABELS])])
