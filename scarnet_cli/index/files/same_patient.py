"""Number the patient's identifiers in each file, so that files can be compared without keeping the identifiers.

PatientID, name, birth date and the other witnesses are compared only in the process that makes the index. What is
saved is a number that tells files of one study apart: 1 for the first value, 2 for another one. A digest would not
protect them: there are so few possible patient numbers that all can be tried.

Numbers from different readings cannot be compared; the files of such a study are read again.
"""

import re
import secrets
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import NO_WITNESSES, Witnesses
from scarnet_cli.dicom.headers import IMAGE

# Columns of the memory: one for each field of `Witnesses`, and the reading that gave the numbers, 0 once settled.
COLUMNS: Final = tuple(f"same_{name}" for name in Witnesses._fields)
READING: Final = "reading"
_NAME: Final = Witnesses._fields.index("patient_name")
# Words of a name with at least this similarity are spellings of one word; words with fewer letters must be equal.
_ALIKE: Final = 0.8
_LEAST_LETTERS: Final = 4
_NOTHING: Final = (None,) * len(COLUMNS)


class Numbers:
    """Numbers for the values of witnesses, valid within one reading."""

    def __init__(self) -> None:
        """Begin a reading."""
        self.reading = secrets.randbits(62) + 1
        self._known: dict[tuple[str | None, Witnesses], tuple[int | None, ...]] = {}
        self._numbers: dict[tuple[int, str], int] = {}
        self._names: dict[str | None, list[tuple[str, int]]] = defaultdict(list)

    def of(self, study_uid: str | None, said: Witnesses) -> tuple[int | None, ...]:
        """Return the number of each of a file's values; None for an absent value.

        Args:
            study_uid: Its StudyInstanceUID; different spellings of a name are matched only within one.
            said: Its values.
        """
        if said is NO_WITNESSES:
            return _NOTHING
        key = (study_uid, said)
        if key not in self._known:
            words = [_plain(value) for value in said]
            words[_NAME] = name_words(said.patient_name)
            numbers = [self._number(column, word) if word else None for column, word in enumerate(words)]
            if words[_NAME]:
                numbers[_NAME] = self._name(study_uid, words[_NAME])
            self._known[key] = tuple(numbers)
        return self._known[key]

    def _number(self, column: int, word: str) -> int:
        return self._numbers.setdefault((column, word), len(self._numbers) + 1)

    def _name(self, study_uid: str | None, name: str) -> int:
        met = self._names[study_uid]
        number = next((number for other, number in met if same_name(name, other)), None)
        if number is None:
            number = self._number(_NAME, name)
            met.append((name, number))
        return number


def _plain(value: bytes) -> str:
    """Return the ASCII letters and digits in lower case; other characters go, so that encodings agree."""
    return re.sub(r"[^a-z0-9]", "", value.decode("ascii", "ignore").lower())


def name_words(value: bytes) -> str:
    """Return the words of a PatientName in alphabetical order, from its first component group with Latin letters."""
    text = re.sub(rb"\x1b[$(),-/]?[$(),-/]?[0-~]", b"", value).decode("ascii", "ignore").lower()
    groups = (sorted(re.findall(r"[a-z0-9]+", group)) for group in text.split("="))
    return next((" ".join(words) for words in groups if words), "")


def same_name(a: str, b: str) -> bool:
    """Tell whether two results of `name_words` are spellings of one name: the longer has each word of the shorter.

    Initials match words. Names with digits come from an anonymiser, not from people, and must be equal.
    """
    if a == b:
        return True
    if any(c.isdigit() for c in a + b):
        return False
    few, many = sorted((a.split(), b.split()), key=len)
    if all(len(word) == 1 for word in few):
        return False
    return all(any(_same_word(word, other) for other in many) for word in few)


def _same_word(a: str, b: str) -> bool:
    a, b = (re.sub("([aou])e", r"\1", word) for word in (a, b))  # umlauts are ae, oe, ue or a, o, u
    if a == b or (1 in (len(a), len(b)) and a[0] == b[0]):
        return True
    return min(len(a), len(b)) >= _LEAST_LETTERS and SequenceMatcher(None, a, b).ratio() >= _ALIKE


def lone(study_uids: pa.ChunkedArray, kinds: pa.ChunkedArray) -> set[str]:
    """Return the StudyInstanceUIDs under which there is a single image row, that is one frame."""
    images = pc.call_function("equal", [kinds.cast(pa.string()), pa.scalar(IMAGE)])
    counts = study_uids.filter(images).combine_chunks()
    if not isinstance(counts, pa.DictionaryArray) or not len(counts):
        return set()
    codes = counts.indices.fill_null(-1).to_numpy()
    found = np.bincount(codes[codes >= 0], minlength=len(counts.dictionary))
    return set(counts.dictionary.take(pa.array(np.flatnonzero(found == 1))).to_pylist())


def settled(rows: pa.Table, scopes: NDArray[np.int64]) -> pa.Table:
    """Return rows of the memory, with witnesses numbered from 1 within each scope, in the order of the files' keys.

    Args:
        rows: Rows of `cache.HELD`.
        scopes: (rows,) number of each row's scope, from 0.
    """
    for name in COLUMNS:
        numbers = rows[name].fill_null(0).to_numpy().astype(np.int64)
        ranks = np.minimum(numbers, 1)
        mixed = np.flatnonzero(np.isin(scopes, varying(numbers, scopes)) & (numbers > 0))
        keys = rows["key"].take(pa.array(mixed)).to_pylist()
        ranks[mixed] = _ranks(keys, scopes[mixed].tolist(), numbers[mixed].tolist())
        rows = _with(rows, name, pa.array(ranks, pa.int64(), mask=ranks == 0))
    return _with(rows, READING, pa.array(np.zeros(len(rows), np.int64)))


def varying(numbers: NDArray[np.int64], scopes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the scopes that have different values, given (files,) numbers and scopes; 0 is an absent value."""
    said = numbers > 0
    lowest = np.full(scopes.max(initial=-1) + 1, np.iinfo(np.int64).max)
    highest = np.zeros(len(lowest), np.int64)
    np.minimum.at(lowest, scopes[said], numbers[said])
    np.maximum.at(highest, scopes[said], numbers[said])
    return np.flatnonzero(lowest < highest)


def _ranks(keys: Sequence[str], scopes: Sequence[int], numbers: Sequence[int]) -> list[int]:
    given: dict[int, dict[int, int]] = defaultdict(dict)
    for _, scope, number in sorted(zip(keys, scopes, numbers, strict=True)):
        given[scope].setdefault(number, len(given[scope]) + 1)
    return [given[scope][number] for scope, number in zip(scopes, numbers, strict=True)]


def _with(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), column)
