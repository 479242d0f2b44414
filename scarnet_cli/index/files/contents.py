"""What every file of an input holds, and what it says of itself, in codes that only tell equal from unequal."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FoundFile, folder_of, parent_of
from scarnet_cli.dicom.headers import IMAGE
from scarnet_cli.index.files.cache import codes_of
from scarnet_cli.index.files.same_patient import COLUMNS, lone

# Indices of files in `Contents.files`.
Members = NDArray[np.int64]


@dataclass(frozen=True)
class Contents:
    """What every file of the input holds, archives member by member.

    Attributes:
        files: The files and members.
        keys: The key of each.
        remembered: How many of them, from the first on, are as the memory knows them; the others were read now.
        rows: Rows of `cache.HELD`: of a file's frames, or one for a file without; those of a file lie together.
        of_row: Index in `files` of the file that each row belongs to, rising.
    """

    files: list[FoundFile]
    keys: list[str]
    remembered: int
    rows: pa.Table
    of_row: NDArray[np.int64]

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """First row of each file."""
        return np.searchsorted(self.of_row, np.arange(len(self.files)))

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.int64], list[str]]:
        codes, kinds = codes_of(self.rows["kind"])
        return codes[self.first_rows], kinds

    @cached_property
    def study_uids(self) -> list[str]:
        """The StudyInstanceUIDs that there are, some perhaps of no file."""
        return codes_of(self.rows["file_study_uid"])[1]

    @cached_property
    def study(self) -> NDArray[np.int64]:
        """StudyInstanceUID of each file, as an index in `study_uids`; -1 without."""
        return self.codes("file_study_uid")

    @cached_property
    def frames(self) -> NDArray[np.int64]:
        """Number of frames of each file; 0 without a picture."""
        codes, kinds = codes_of(self.rows["kind"])
        picture = codes == (kinds.index(IMAGE) if IMAGE in kinds else -2)
        return np.bincount(self.of_row[picture], minlength=len(self.files))

    @cached_property
    def witnesses(self) -> NDArray[np.int64]:
        """(files, witnesses) numbers of what each file says of its patient and scanner; 0 says nothing."""
        return np.stack([self.rows[name].fill_null(0).to_numpy()[self.first_rows] for name in COLUMNS], axis=1)

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """Which files are the only image of their StudyInstanceUID, and a single frame, or have none."""
        single = lone(self.rows["file_study_uid"], self.rows["kind"])
        of_one_row = np.array([uid in single for uid in self.study_uids] + [True], bool)  # the last is that of no UID
        return of_one_row[self.study] & (self.frames == 1)

    @cached_property
    def scopes(self) -> NDArray[np.int64]:
        """What the study of each file lies in: its StudyInstanceUID, or where that is no help, the folder above.

        Witnesses' numbers are comparable within one scope.
        """
        scopes = self.study.copy()
        folders: dict[str, int] = {}
        for index in np.flatnonzero(self.alone | (self.study < 0)).tolist():
            folder = parent_of(self.folder(index))
            scopes[index] = len(self.study_uids) + folders.setdefault(folder, len(folders))
        return scopes

    def kind(self, index: int) -> str:
        """Return what a file is."""
        codes, kinds = self._kinds
        return kinds[codes[index]]

    def among(self, kinds: Collection[str]) -> NDArray[np.bool_]:
        """Tell which files are of one of some kinds."""
        codes, known = self._kinds
        return np.isin(codes, [code for code, kind in enumerate(known) if kind in kinds])

    def counts(self) -> Counter[str]:
        """Return the number of files by kind."""
        codes, kinds = self._kinds
        numbers = np.bincount(codes, minlength=len(kinds)).tolist()
        return Counter({kind: number for kind, number in zip(kinds, numbers, strict=True) if number})

    def codes(self, name: str) -> NDArray[np.int64]:
        """Return the code of each file's text in a column, of its first frame; -1 without."""
        return codes_of(self.rows[name])[0][self.first_rows]

    def texts(self, name: str, members: Members) -> list[str | None]:
        """Return the text of some files in a column, of their first frames."""
        return self.rows[name].take(pa.array(self.first_rows[members])).to_pylist()

    def folder(self, index: int) -> str:
        """Return the folder of a file."""
        return folder_of(self.files[index])
