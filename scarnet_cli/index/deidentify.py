"""De-identify an index: later stages see only pseudonyms, so none of them can reveal a name."""

import csv
import io
import logging
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from scarnet_cli.dicom.deidentification.cleaned_text import cleaned, quote_cleaner
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.series.selection import SeriesVerdict
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.errors import InputError
from scarnet_cli.files import atomic_path, read_json
from scarnet_cli.index.records import CrosswalkRow, Index
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.stage.earlier import EARLIER
from scarnet_cli.stage.folder import StudyFile, study_folders

logger = logging.getLogger(__name__)

_PRIVATE: Final = 0o600
_Clean = Callable[[str], str]


def _deidentified(study: PlannedStudy, pseudonyms: Pseudonyms) -> PlannedStudy:
    """Return a planned study with pseudonyms for its id, patient and UIDs, and with cleaned texts.

    Its entry keeps the paths, which the tasks need: the work directory is as private as the input. The labels site,
    group and visit, and the user's own columns, stay as the user wrote them.
    """
    study_id, clean, failure = pseudonyms.study(study.study_id), quote_cleaner(study.texts), study.failure
    return replace(
        study,
        study_id=study_id,
        entry=None if study.entry is None else _entry(study.entry, study_id, clean, pseudonyms),
        series=tuple(_verdict(verdict, clean, pseudonyms) for verdict in study.series),
        failure=failure and replace(failure, study_id=study_id, message=clean(failure.message)),
        labels=replace(study.labels, patient=_patient(study, pseudonyms)),
        texts=frozenset(),
    )


def deidentify_index(index: Index, pseudonyms: Pseudonyms | None) -> Index:
    """Return an index with its studies under pseudonyms, or the index itself if `pseudonyms` is None."""
    if pseudonyms is not None:
        studies = sorted((_deidentified(study, pseudonyms) for study in index.studies), key=lambda s: s.study_id)
        unread = tuple(replace(row, place=pseudonyms.study(row.place)) for row in index.unread)
        rows = tuple(crosswalk_row(study, pseudonyms) for study in index.studies)
        index = replace(index, studies=tuple(studies), unread=unread, crosswalk=rows)
    for entry in filter(None, (study.entry for study in index.studies)):  # not before: the original id may be a name
        rules = [rule.code for rule in entry.rules]
        logger.info("study %s: %d slices, rules %s", entry.study_id, len(entry.sources), rules)
    return index


def crosswalk_row(study: PlannedStudy, pseudonyms: Pseudonyms) -> CrosswalkRow:
    """Return the crosswalk's row for a study, given the study before de-identification."""
    uid = study.study_instance_uid
    return CrosswalkRow(
        study_id=pseudonyms.study(study.study_id),
        original_study_id=study.study_id,
        study_instance_uid=pseudonyms.uid(uid) if uid else None,
        original_study_instance_uid=uid,
        patient=_patient(study, pseudonyms),
        original_patient=study.labels.patient,
    )


def write_crosswalk(rows: Iterable[CrosswalkRow], path: Path) -> None:
    """Write the crosswalk as CSV, sorted by pseudonym, to a file that only its owner can read."""
    names = [field.name for field in fields(CrosswalkRow)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in sorted(rows, key=lambda row: row.study_id))
    with atomic_path(path, mode=_PRIVATE) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def require_none_identified(out: Path) -> None:
    """Require that results of an earlier run in the output directory, which are kept, are de-identified too.

    Raises:
        InputError: The record of a study there says that it is not.
    """
    folders = [folder for results in (out, out / EARLIER) for folder in study_folders(results, StudyFile.STUDY)]
    records = [folder.file(StudyFile.STUDY) for folder in folders]
    identified = sum(not read_json(record).get("deidentified") for record in records)
    if identified:
        message = (
            f"{identified} of the {len(records)} studies in the output directory are not de-identified: an earlier run "
            "wrote them. Name another directory."
        )
        raise InputError("identified_results", message)


def _entry(entry: StudyEntry, study_id: str, clean: _Clean, pseudonyms: Pseudonyms) -> StudyEntry:
    return replace(
        entry,
        study_id=study_id,
        study_instance_uid=pseudonyms.uid(entry.study_instance_uid) if entry.study_instance_uid else None,
        manufacturer=cleaned(entry.manufacturer) if entry.manufacturer else None,
        chosen=tuple(pseudonyms.uid(series) for series in entry.chosen),
        rules=tuple(replace(rule, words=clean(rule.words)) for rule in entry.rules),
        deidentified=True,
    )


def _verdict(verdict: SeriesVerdict, clean: _Clean, pseudonyms: Pseudonyms) -> SeriesVerdict:
    return replace(
        verdict,
        series_uid=pseudonyms.uid(verdict.series_uid) if verdict.series_uid else None,
        description=cleaned(verdict.description) if verdict.description else None,
        reason=clean(verdict.reason),
    )


def _patient(study: PlannedStudy, pseudonyms: Pseudonyms) -> str | None:
    return pseudonyms.patient(study.labels.patient) if study.labels.patient else None
