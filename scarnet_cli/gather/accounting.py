"""The accounting check: every study that INDEX saw ends in exactly one row of `scans` or `failures`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scarnet_cli.errors import CohortError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A message names this many studies of each kind, so that it can still be read when a whole batch is lost.
_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Accounting:
    """How the cohort's studies ended.

    Attributes:
        studies: Studies that INDEX saw.
        scans: Those measured.
        failures: Those that failed, at whatever stage; the sum of both is `studies`.
        model_sha256: Digests of the weights that measured them, sorted and joined with commas; empty without any.
    """

    studies: int
    scans: int
    failures: int
    model_sha256: str


def check_accounting(connection: "DuckDBPyConnection") -> Accounting:
    """Check that each study of `studies` is in exactly one row of `scans` or `failures`, and no other study is.

    A study that failed in two stages is an error as well: a stage hands on only what it finished, so a second failure
    means that fragments of different runs were mixed.

    Args:
        connection: The tables of all fragments; see `viewed`.

    Raises:
        CohortError: Studies are missing, unknown or there twice; the message names each, and the fragments.
    """
    connection.execute(_COUNTED)
    problems = [
        f"{len(studies)} {problem}: {_named(studies)}"
        for problem, query in _PROBLEMS
        if (studies := [study for (study,) in connection.execute(query).fetchall()])
    ]
    if problems:
        message = "The accounting of studies does not add up; no table was written.\n" + "\n".join(problems)
        message += "\nRun again into a new work directory; if it stays, report it as a bug."
        raise CohortError("accounting", message)
    (row,) = connection.execute(_ACCOUNT).fetchall()
    return Accounting(*row)


def _named(studies: Sequence[str]) -> str:
    more = f" and {len(studies) - _NAMED} more" if len(studies) > _NAMED else ""
    return ", ".join(studies[:_NAMED]) + more


# Where each study is: what the check looks at, read once.
_COUNTED: Final = """
    CREATE TEMP TABLE seen AS
        SELECT study_id, 'studies of ' || name AS location FROM studies JOIN fragments USING (fragment);
    CREATE TEMP TABLE ended AS
        SELECT study_id, 0 AS position, fragment, 'scans of ' || name AS location
        FROM scans JOIN fragments USING (fragment)
        UNION ALL
        SELECT study_id, 1, fragment, 'failures of ' || name || ', stage ' || stage
        FROM failures JOIN fragments USING (fragment)
"""
_ENDED_AT: Final = "study_id || ' (' || string_agg(location, '; ' ORDER BY position, fragment, location) || ')'"


def _without_scan(table: str) -> str:
    return f"""
        SELECT DISTINCT study_id || ' ({table} of ' || name || ')' AS study
        FROM {table} JOIN fragments USING (fragment) ANTI JOIN scans USING (study_id, fragment)
    """


# What is wrong, and the query of the studies that it is wrong with, each with the locations to look at.
_PROBLEMS: Final = (
    (
        "there twice",
        """
        SELECT study_id || ' (' || string_agg(location, '; ' ORDER BY location) || ')'
        FROM seen GROUP BY study_id HAVING count(*) > 1 ORDER BY study_id
        """,
    ),
    ("there twice", f"SELECT {_ENDED_AT} FROM ended GROUP BY study_id HAVING count(*) > 1 ORDER BY study_id"),
    (
        "lost: in no scans or failures table",
        "SELECT DISTINCT study_id FROM seen ANTI JOIN ended USING (study_id) ORDER BY study_id",
    ),
    (
        "unknown: not seen by index",
        f"SELECT {_ENDED_AT} FROM ended ANTI JOIN seen USING (study_id) GROUP BY study_id ORDER BY study_id",
    ),
    (
        "with slices or segments but no scan in the same fragment",
        f"SELECT study FROM ({_without_scan('slices')} UNION ALL {_without_scan('segments')}) ORDER BY study",
    ),
)
_ACCOUNT: Final = """
    SELECT
        (SELECT count(*) FROM seen),
        (SELECT count(*) FROM ended WHERE position = 0),
        (SELECT count(*) FROM ended WHERE position = 1),
        (SELECT coalesce(string_agg(DISTINCT model_sha256, ',' ORDER BY model_sha256), '')
         FROM scans WHERE model_sha256 <> '')
"""
