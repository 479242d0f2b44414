"""Stage EXPORT: label maps and measures in, seg.dcm and report.dcm for a PACS out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.batch import Batch
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.study_entry import StudyEntry
from scarnet_cli.errors import InputError
from scarnet_cli.stage.execution import IN_PROCESS, Execution
from scarnet_cli.stage.folder import STUDIES, StudyFile, StudyFolder, study_folder
from scarnet_cli.stage.run import attempt_studies
from scarnet_cli.stage.stage import Stage, Work
from scarnet_cli.tables.exports import ExportRow
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import write_table


def export_studies(
    batch: Batch,
    results: Sequence[Path],
    out: Path,
    execution: Execution = IN_PROCESS,
    *,
    pseudonyms: Pseudonyms | None = None,
) -> list[Failure]:
    """Write every measured study's results as DICOM: studies/<id>/{seg.dcm, report.dcm} and exports.parquet.

    A study that cannot be exported keeps its measures and has a row in exports.parquet with the reason.

    Returns:
        The studies that could not be exported.

    Raises:
        InputError: There are no results, or the studies are de-identified but no pseudonyms are given, or vice versa.
    """
    _require_pseudonyms(batch.studies, pseudonyms)
    entries = {entry.study_id: entry for entry in batch.studies}
    if entries and not any((path / STUDIES).is_dir() for path in results):
        message = (
            "None of the directories has results (studies/<id>/labels.nii.gz and study.json); run the stages first."
        )
        raise InputError("no_results", message)
    found = {study_id: _find(results, study_id) for study_id in entries}
    measured = {study_id: folder for study_id, folder in found.items() if folder is not None}
    stage = Stage("export", partial(_prepare, entries, batch.root, measured, pseudonyms))
    outcome = attempt_studies(stage, list(measured), out, execution)
    failed = [ExportRow(one.study_id, code=one.code, message=one.message) for one in outcome.failures]
    rows = {row.study_id: row for row in [*outcome.rows, *failed] if isinstance(row, ExportRow)}
    write_table(ExportRow, [rows[study_id] for study_id in measured], out / "exports.parquet", {})
    return outcome.failures


def _prepare(
    entries: Mapping[str, StudyEntry],
    root: Place,
    measured: Mapping[str, StudyFolder],
    pseudonyms: Pseudonyms | None,
) -> Work:
    """Import what exporting needs, which the process that only starts another does without."""
    from scarnet_cli.dicom.results.export_study import export_study

    made = datetime.now()

    def work(folder: StudyFolder) -> list[ExportRow]:
        study_id = folder.study_id
        return [export_study(folder, entries[study_id], root, measured[study_id], pseudonyms, made)]

    return work


def _require_pseudonyms(entries: Sequence[StudyEntry], pseudonyms: Pseudonyms | None) -> None:
    deidentified = [entry.deidentified for entry in entries]
    if pseudonyms is None and any(deidentified):
        message = "These studies are de-identified; name the key that they were indexed with (--deidentify)."
        raise InputError("key_missing", message)
    if pseudonyms is not None and not all(deidentified):
        message = "These studies were indexed without --deidentify; index them with it, or export them without."
        raise InputError("not_deidentified", message)


def _find(results: Sequence[Path], study_id: str) -> StudyFolder | None:
    """Return the study's folder that holds both the label map that was measured and what was measured of it."""
    folders = (study_folder(directory, study_id) for directory in results)
    return next((folder for folder in folders if folder.has(StudyFile.LABELS, StudyFile.STUDY)), None)
