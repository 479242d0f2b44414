"""The accounting check: every study that INDEX saw ends in exactly one row of `scans` or `failures`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scarnet_cli.draw.text import count_text
from scarnet_cli.errors import CohortError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A message names at most this many studies per problem, so that it stays readable when a whole batch is lost.
_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Accounting:
    """How the cohort's studies ended.

    Attributes:
        studies: Number of studies that INDEX saw.
        scans: Number of measured studies.
        failures: Number of studies that failed at any stage; with `scans` it adds up to `studies`.
        model_sha256: Digests of the weights that labelled them, sorted and joined with commas; empty without any.
        repeated_visits: Visits of one patient that have several measured studies, and so are not in `follow_up`.
    """

    studies: int
    scans: int
    failures: int
    model_sha256: str
    repeated_visits: int = 0

    @property
    def summary(self) -> str:
        """One line for the terminal."""
        counts = f"{count_text(self.studies, 'study', 'studies')}: {self.scans:,} measured, {self.failures:,} failed."
        if not self.repeated_visits:
            return counts
        have = "visit has" if self.repeated_visits == 1 else "visits have"
        return (
            f"{counts}\n{self.repeated_visits:,} {have} several measured studies of one patient and cannot be compared "
            "(follow_up; the report names them): name the visits apart, or let a reader reject all but one."
        )


def check_accounting(connection: "DuckDBPyConnection") -> Accounting:
    """Check that each study of `studies` has exactly one row in `scans` or `failures`, and that no other study has one.

    A study that failed in two stages is an error as well: a stage passes on only finished studies, so a second failure
    means that fragments of different runs were mixed.

    Raises:
        CohortError: Studies are missing, unknown or there twice; the message names each, with its fragments.
    """
    connection.execute(_COUNTED)
    problems = [
        f"{len(studies)} {problem}: {_named(studies)}"
        for problem, query in _PROBLEMS
        if (studies := [study for (study,) in connection.execute(query).fetchall()])
    ]
    if problems:
        message = "The accounting of studies does not add up; no table was written.\n" + "\n".join(problems)
        message += "\nRun again with a new work directory; if the problem remains, report it as a bug."
        raise CohortError("accounting", message)
    (row,) = connection.execute(_ACCOUNT).fetchall()
    return Accounting(*row)


def _named(studies: Sequence[str]) -> str:
    more = f" and {len(studies) - _NAMED} more" if len(studies) > _NAMED else ""
    return ", ".join(studies[:_NAMED]) + more


# The locations of each study, read once for all checks.
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


# Each problem, and the query for the studies that have it, with their locations.
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
