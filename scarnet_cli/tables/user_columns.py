"""Columns of the user's own: a samplesheet's further columns go through to `scans`, typed by all of their values.

In `studies` their names have a prefix, since INDEX's own columns (`batch`) may be called the same; in `scans` they
stand last, under the user's names. A mark in the metadata of an Arrow field tells them from columns of the pipeline.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from scarnet_cli.errors import CohortError
from scarnet_cli.sheet import MISSING, SheetKind
from scarnet_cli.tables.schema import TABLES

# Columns of a samplesheet that nothing reads: what identifies a patient may stand there.
PRIVATE: Final = "private_"
_PREFIX: Final = "samplesheet."
_MEANING: Final = "Your own column, from the samplesheet."
_MARK: Final = {"source": "samplesheet", "unit": "", "meaning": _MEANING}
_IDENTIFYING: Final = frozenset(
    {
        "address",
        "birthdate",
        "birthday",
        "dateofbirth",
        "dob",
        "email",
        "familyname",
        "firstname",
        "givenname",
        "lastname",
        "mrn",
        "name",
        "patientbirthdate",
        "patientid",
        "patientname",
        "phone",
        "ssn",
        "surname",
    }
)
_LONGEST_NAME: Final = 64
_LONGEST_TEXT: Final = 200
_OURS: Final = {name.lower(): name for name in TABLES["scans"].names}
_PATH: Final = re.compile(r"[~.]*/.*|.*(\\|://).*")
# "007" is no number but a label, and "1E5" may be one.
_WHOLE: Final = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_NUMBER: Final = re.compile(r"[+-]?((0|[1-9]\d{0,17})|(0|[1-9]\d{0,17})?\.\d+([eE][+-]?\d{1,2})?|(0|[1-9]\d{0,17})\.)")
_TRUTHS: Final = {"true": True, "false": False}


def problem_of_user_column(name: str) -> str | None:
    """Return what is wrong with the name of a user's column, or None; it is quoted only where it is a known word."""
    if name.lower().startswith(PRIVATE):
        return None
    if name.lower() in _OURS:
        return (
            f"'{_OURS[name.lower()]}' is a column of the pipeline's table scans; give yours another name, as my_{name}"
        )
    if name.lower().replace("_", "") in _IDENTIFYING:
        return f"'{name}' tells who the patient is, which no table may; call it {PRIVATE}{name}, and nothing reads it"
    if name.isidentifier() and not name.startswith("_") and len(name) <= _LONGEST_NAME:
        return None
    return f"its name cannot be a column: a letter, then up to {_LONGEST_NAME - 1} letters, digits and '_' (age_years)"


def user_cells_in(kind: SheetKind, values: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a sheet's row in the user's own columns, without the private ones."""
    return {name: cell for name, cell in kind.others(values).items() if not name.lower().startswith(PRIVATE)}


def problems_of_user_cells(cells: Mapping[str, str]) -> list[str]:
    """Return what is wrong with cells of the user's own columns. Any short printable text that is no path is right."""
    return [
        f"{name} is no value for a table: up to {_LONGEST_TEXT} characters that can be printed, and no path; a column "
        f"whose name begins with {PRIVATE} may hold anything and is not read"
        for name, text in cells.items()
        if len(text) > _LONGEST_TEXT or not text.isprintable() or _PATH.fullmatch(text)
    ]


def with_user_columns(studies: pa.Table, cells: Sequence[Mapping[str, str]]) -> pa.Table:
    """Return the table `studies` with the users' cells of each row, by name of their column; "" is null."""
    for name in dict.fromkeys(name for row in cells for name in row):
        column = typed([row.get(name, "") for row in cells])
        studies = studies.append_column(_field(_PREFIX + name, column.type), column)
    return studies


def typed(texts: Iterable[str]) -> pa.Array:
    """Return a column of whole numbers, numbers, truth values or texts, whichever all of its texts are; "" is null.

    Words for a missing value are null too, but in a column of text. A comma may be the decimal point, as where a
    spreadsheet is German, unless it may as well separate thousands.
    """
    texts = list(texts)
    filled = [text for text in texts if text]
    known = [text for text in filled if text.lower() not in MISSING]
    if known and all(text.lower() in _TRUTHS for text in known):
        return pa.array([_TRUTHS.get(text.lower()) for text in texts], pa.bool_())
    if known and all(_WHOLE.fullmatch(text) for text in known):
        return pa.array([int(text) if _WHOLE.fullmatch(text) else None for text in texts], pa.int64())
    if not any("." in text for text in known) and any(_decimal_comma(text) for text in known):
        texts, known = ([text.replace(",", ".") for text in some] for some in (texts, known))
    if known and all(_NUMBER.fullmatch(text) for text in known):
        return pa.array([float(text) if _NUMBER.fullmatch(text) else None for text in texts], pa.float64())
    return pa.array([text or None for text in texts], pa.string())


def user_fields(schemas: Iterable[pa.Schema]) -> list[pa.Field]:
    """Return the fields of the users' columns in schemas of `studies` or `scans`, each once, under the users' names.

    Raises:
        CohortError: Two schemas give a column types that do not go together.
    """
    marked = [pa.schema([field for field in schema if is_users(field)]) for schema in schemas]
    try:
        together = pa.unify_schemas([pa.schema([]), *marked], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        message = f"Two samplesheets give a column of yours different types ({error}); write it alike in both."
        raise CohortError("wrong_schema", message) from error
    return [_field(field.name.removeprefix(_PREFIX), field.type) for field in together]


def in_studies(field: pa.Field) -> str:
    """Return the name that a user's column has in `studies`."""
    return _PREFIX + field.name


def with_users(name: str, fields: Iterable[pa.Field]) -> pa.Schema:
    """Return the schema of `scans` or `studies`, with the users' columns behind its own."""
    renamed = [field.with_name(in_studies(field)) if name == "studies" else field for field in fields]
    return pa.schema([*TABLES[name], *renamed])


def schema_like(name: str, schema: pa.Schema) -> pa.Schema:
    """Return the schema of a table of the pipeline, with the users' columns of `schema` as they are."""
    return pa.schema([*TABLES[name], *(field for field in schema if is_users(field))])


def names_of_users(schema: pa.Schema) -> list[str]:
    """Return the names that users' columns have in a schema."""
    return [field.name for field in schema if is_users(field)]


def _decimal_comma(text: str) -> bool:
    before, comma, after = text.partition(",")
    return bool(comma) and len(after) != len("000") and bool(_NUMBER.fullmatch(f"{before}.{after}"))


def is_users(field: pa.Field) -> bool:
    """Tell whether a column is the user's own."""
    return (field.metadata or {}).get(b"source") == b"samplesheet"


def _field(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, metadata=_MARK)
