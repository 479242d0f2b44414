"""The contents of all files of an input, with texts as codes that can only be compared for equality."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scarnet_cli.dicom.facts import FoundFile, folder_of, parent_of
from scarnet_cli.dicom.headers import BROKEN, IMAGE, JUNK
from scarnet_cli.index.files.cache import codes_of
from scarnet_cli.index.files.same_patient import COLUMNS, lone

_DIGITS: Final = re.compile(r"\d+")

# Indices of files in `Contents.files`.
Members = NDArray[np.int64]


@dataclass(frozen=True)
class Contents:
    """The contents of all files of the input, with a file for each member of an archive.

    Attributes:
        files: The files and members.
        keys: The key of each.
        remembered: Number of files, from the first, that are taken from the memory; the rest were read now.
        rows: Rows of `cache.HELD`: one for each frame, or one for a file without frames; a file's rows are adjacent.
        of_row: Index in `files` of each row's file, ascending.
    """

    files: list[FoundFile]
    keys: list[str]
    remembered: int
    rows: pa.Table
    of_row: NDArray[np.int64]

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """(files,) index of each file's first row."""
        return np.searchsorted(self.of_row, np.arange(len(self.files)))

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.int64], list[str]]:
        codes, kinds = codes_of(self.rows["kind"])
        codes = codes[self.first_rows]
        if not {IMAGE, JUNK} <= set(kinds):
            return codes, kinds
        kinds = kinds if BROKEN in kinds else [*kinds, BROKEN]
        images, junk = (np.flatnonzero(codes == kinds.index(kind)) for kind in (IMAGE, JUNK))
        codes[self._named_like(images, junk)] = kinds.index(BROKEN)
        return codes, kinds

    def _named_like(self, images: Members, others: Members) -> list[int]:
        """Return those of the other files whose names differ from an image's in the same folder in digits alone.

        They were images: a copy that was broken off, a disk, or a cloud's placeholder leaves IM_0007 empty or as text.
        """
        lone = [(i, self._pattern(i)) for i in others.tolist() if self.files[i].member is None]
        folders = {folder for _, (folder, _) in lone}
        known = {self._pattern(i) for i in images.tolist() if self.folder(i) in folders}
        return [i for i, pattern in lone if pattern in known]

    def _pattern(self, index: int) -> tuple[str, str]:
        """Return the folder of a file, and its name with every number replaced by 0."""
        return self.folder(index), _DIGITS.sub("0", self.files[index].path.rpartition("/")[2])

    @cached_property
    def study_uids(self) -> list[str]:
        """All StudyInstanceUIDs; some may belong to no file."""
        return codes_of(self.rows["file_study_uid"])[1]

    @cached_property
    def study(self) -> NDArray[np.int64]:
        """(files,) index in `study_uids` of each file's StudyInstanceUID; -1 if it has none."""
        return self.codes("file_study_uid")

    @cached_property
    def frames(self) -> NDArray[np.int64]:
        """(files,) number of each file's frames; 0 if it is not an image."""
        codes, kinds = codes_of(self.rows["kind"])
        picture = codes == (kinds.index(IMAGE) if IMAGE in kinds else -2)
        return np.bincount(self.of_row[picture], minlength=len(self.files))

    @cached_property
    def witnesses(self) -> NDArray[np.int64]:
        """(files, witnesses) numbers that stand for each file's values of patient, day and scanner; 0 if absent."""
        return np.stack([self.rows[name].fill_null(0).to_numpy()[self.first_rows] for name in COLUMNS], axis=1)

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """(files,) True for a single-frame image that has no StudyInstanceUID, or is the only one with it."""
        single = lone(self.rows["file_study_uid"], self.rows["kind"])
        of_one_row = np.array([uid in single for uid in self.study_uids] + [True], bool)  # the last, -1, is for no UID
        return of_one_row[self.study] & (self.frames == 1)

    @cached_property
    def scopes(self) -> NDArray[np.int64]:
        """(files,) number of each file's scope: its StudyInstanceUID, or the parent of its folder if that is no help.

        A scope holds all files that may be one study. Numbers of witnesses can be compared only within one scope.
        """
        scopes = self.study.copy()
        folders: dict[str, int] = {}
        for index in np.flatnonzero(self.alone | (self.study < 0)).tolist():
            folder = parent_of(self.folder(index))
            scopes[index] = len(self.study_uids) + folders.setdefault(folder, len(folders))
        return scopes

    def kind(self, index: int) -> str:
        """Return the kind of a file."""
        codes, kinds = self._kinds
        return kinds[codes[index]]

    def among(self, kinds: Collection[str]) -> NDArray[np.bool_]:
        """Return a mask (files,) of the files whose kind is among `kinds`."""
        codes, known = self._kinds
        return np.isin(codes, [code for code, kind in enumerate(known) if kind in kinds])

    def counts(self) -> Counter[str]:
        """Return the number of files of each kind."""
        codes, kinds = self._kinds
        numbers = np.bincount(codes, minlength=len(kinds)).tolist()
        return Counter({kind: number for kind, number in zip(kinds, numbers, strict=True) if number})

    def codes(self, name: str) -> NDArray[np.int64]:
        """Return (files,) codes of the texts in a column, from each file's first frame; -1 if there is none."""
        return codes_of(self.rows[name])[0][self.first_rows]

    def texts(self, name: str, members: Members) -> list[str | None]:
        """Return the texts in a column of some files, from their first frames."""
        return self.rows[name].take(pa.array(self.first_rows[members])).to_pylist()

    def folder(self, index: int) -> str:
        """Return the folder of a file."""
        return folder_of(self.files[index])
