"""Count how often failed studies are tried again. The count is in the batch file, so that -resume runs the batch anew.

The counts are remembered with the index: without them, a later run would take the old failure from Nextflow's cache.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from scarnet_cli.errors import CohortError, InputError
from scarnet_cli.files import file_sha256, parse_record, record_text
from scarnet_cli.index.files.cache import RETRY, text_rows
from scarnet_cli.index.records import Index
from scarnet_cli.tables.failures import CODES, Failure
from scarnet_cli.tables.parquet import read_rows

ALL: Final = "all"
# Keeps the keys of retries apart from those of plans.
_PREFIX: Final = "retry "


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """Studies to try again.

    Attributes:
        studies: Their ids.
        failures: Digest of the failures table that lists them; the same table counts only once.
    """

    studies: frozenset[str] = frozenset()
    failures: str = ""


@dataclass(frozen=True, slots=True)
class _Retry:
    """How often a study was tried again, and the digest of the last failures table that listed it."""

    count: int
    failures: str


def read_retry_request(table: Path, codes: str) -> RetryRequest:
    """Return the studies that failed with given codes.

    Args:
        table: failures.parquet of the last run.
        codes: Codes joined by commas, or `ALL`.

    Raises:
        InputError: A code is unknown, none is given, or the file is not a table of failures.
    """
    try:
        rows = [(row.study_id, row.code) for row in read_rows(Failure, table)]
    except CohortError as error:
        message = f"{table.name} is not a table of failures; name tables/failures.parquet of the last run."
        raise InputError("no_failures", message) from error
    asked = {code.strip() for code in codes.split(",")} - {""}
    unknown = sorted(asked - {ALL, *CODES, *(code for _, code in rows)})
    if unknown or not asked:
        counts = ", ".join(f"{code} ({n})" for code, n in sorted(Counter(code for _, code in rows).items()))
        message = (
            f"No study fails with {', '.join(unknown) or 'no code'}: --retry_failed takes {ALL}, or codes joined by "
            f"commas. In the last run: {counts or 'none'}. All there are: {', '.join(sorted(CODES))}."
        )
        raise InputError("unknown_code", message)
    return RetryRequest(frozenset(study for study, code in rows if asked & {ALL, code}), file_sha256(table))


def with_retries(index: Index, memory: pa.Table, wanted: RetryRequest) -> Index:
    """Return an index whose entries hold the number of retries, for studies that are or were tried again."""
    retries = _recalled(memory)
    planned = {study.study_id for study in index.studies if study.entry is not None}
    for study_id in wanted.studies & planned:
        before = retries.get(study_id, _Retry(0, ""))
        if before.failures != wanted.failures:
            retries[study_id] = _Retry(before.count + 1, wanted.failures)
    retries = {study.study_id: retries[study.study_id] for study in index.studies if study.study_id in retries}
    studies = [
        replace(study, entry=replace(study.entry, retry=retries[study.study_id].count))
        if study.entry is not None and study.study_id in retries
        else study
        for study in index.studies
    ]
    return replace(index, studies=tuple(studies), memory=pa.concat_tables([index.memory, _rows(retries)]))


def _rows(retries: Mapping[str, _Retry]) -> pa.Table:
    return text_rows(RETRY, [(_PREFIX + study, record_text(retry)) for study, retry in retries.items()])


def _recalled(memory: pa.Table) -> dict[str, _Retry]:
    rows = memory.filter(pc.call_function("equal", [memory["kind"].cast(pa.string()), pa.scalar(RETRY)]))
    pairs = zip(rows["key"].to_pylist(), rows["plan"].to_pylist(), strict=True)
    return {key.removeprefix(_PREFIX): parse_record(text, _Retry) for key, text in pairs}
