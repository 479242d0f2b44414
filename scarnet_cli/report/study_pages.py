"""Writing a small page and a picture for each study, one by one, so that memory does not grow with the cohort."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pyarrow.parquet as pq

from scarnet_cli.draw.svg import bullseye_shapes
from scarnet_cli.errors import InputError
from scarnet_cli.files import share_file, write_bytes
from scarnet_cli.report.measures import Row
from scarnet_cli.report.study import Study, describe_study
from scarnet_cli.report.template import render
from scarnet_cli.stage.folder import STUDIES, StudyFile
from scarnet_cli.tables.parquet import open_table

FOLDER: Final = "studies"
_ROWS: Final = 2_000  # rows of a table in memory at a time
# Paths of a picture below the directory that the user named: OUT/studies, a stage's output, or a folder of these.
_PATTERNS: Final = (
    f"*/{StudyFile.OVERLAY}",
    *(f"{above}{STUDIES}/*/{StudyFile.OVERLAY}" for above in ("", "*/", "*/*/")),
)


def write_study_pages(tables: Path, pictures: Mapping[str, Path], out: Path) -> None:
    """Write `out`/studies/<study_id>.html, and .png (and .plain.webp) if there is a picture, for every row of scans.

    Raises:
        CohortError: A table is missing or unreadable.
        InputError: A study's id cannot be a file name.
    """
    # All three are opened before anything is written, so that a missing table leaves no incomplete report.
    with (
        open_table(tables / "scans.parquet") as scans,
        open_table(tables / "segments.parquet") as segments,
        open_table(tables / "series.parquet") as series,
    ):
        segments_of, series_of = _Studies(segments), _Studies(series)
        for row in _rows(scans):
            study_id = row["study_id"]
            study = describe_study(row, segments_of(study_id), series_of(study_id))
            _write_page(study, pictures.get(study_id), out / FOLDER)


def _write_page(study: Study, picture: Path | None, folder: Path) -> None:
    page = folder / f"{study.study_id}.html"
    if page.parent != folder:
        message = f"Study id {study.study_id!r} cannot be a file's name; give it another in the samplesheet."
        raise InputError("bad_study_id", message)
    addresses = {"picture": "", "plain": ""}
    plain = picture and picture.with_name(str(StudyFile.PLAIN))
    files = {"picture": (picture, ".png"), "plain": (plain, ".plain.webp")}
    for name, (source, suffix) in files.items():
        if source and source.is_file():
            share_file(source, folder / f"{study.study_id}{suffix}")
            addresses[name] = f"{quote(study.study_id, safe='')}{suffix}"
    shapes = bullseye_shapes() if study.eyes else ""
    html = render(
        "study.html.jinja",
        ("base.css", "bullseye.css", "study.css"),
        ("study.js",),
        study=study,
        shapes=shapes,
        **addresses,
    )
    write_bytes(page, html.encode())


def find_pictures(studies: Iterable[Path]) -> dict[str, Path]:
    """Return study id -> path of its picture, for all pictures in these directories."""
    pictures = (path for directory in studies for pattern in _PATTERNS for path in sorted(directory.glob(pattern)))
    return {path.parent.name: path for path in pictures}


class _Studies:
    """The rows of a table sorted by study, looked up in ascending order of study ids."""

    def __init__(self, table: pq.ParquetFile) -> None:
        self._groups = groupby(_rows(table), key=lambda row: row["study_id"])
        self._next = next(self._groups, None)

    def __call__(self, study_id: str) -> list[Row]:
        """Return the rows of a study, skipping those of earlier studies."""
        while self._next and self._next[0] < study_id:
            self._next = next(self._groups, None)
        return list(self._next[1]) if self._next and self._next[0] == study_id else []


def _rows(table: pq.ParquetFile) -> Iterator[Row]:
    for batch in table.iter_batches(_ROWS):
        yield from batch.to_pylist()
