"""Write an index: its tables, the cache, and one file for each batch of studies."""

from pathlib import Path

from msgspec import UNSET

from scarnet_cli.dicom.batch import BatchFile
from scarnet_cli.files import write_record
from scarnet_cli.index.batching import batch_name, cut_batches
from scarnet_cli.index.defaults import BATCH_GREATEST, BATCH_LEAST
from scarnet_cli.index.files.cache import write_cache
from scarnet_cli.index.label_maps import write_label_maps
from scarnet_cli.index.records import Index
from scarnet_cli.tables.failures import Failure
from scarnet_cli.tables.parquet import CREATION_TIME, to_arrow, write_arrow, write_table
from scarnet_cli.tables.schema import NAMES
from scarnet_cli.tables.series import SeriesRow
from scarnet_cli.tables.studies import StudyRow
from scarnet_cli.tables.unread import UnreadRow
from scarnet_cli.tables.user_columns import with_user_columns


def write_index(index: Index, out: Path, least: int = BATCH_LEAST, greatest: int = BATCH_GREATEST) -> list[Path]:
    """Write index.parquet, the tables, the batches and what label maps they have; return the batch files.

    A batch file holds paths and belongs in the work directory, not among results. Equal content gives equal bytes.

    Raises:
        InputError: The batch sizes make no sense.
    """
    entries = {study.study_id: study.entry for study in index.studies if study.entry is not None}
    batches = {batch_name(ids): ids for ids in cut_batches(list(entries), least, greatest)}
    batch_of = {study_id: name for name, ids in batches.items() for study_id in ids}
    root = UNSET if index.server else str(index.root)
    paths = []
    for name, ids in batches.items():
        paths.append(out / "batches" / f"{name}.json")
        studies = tuple(entries[study_id] for study_id in ids)
        write_record(paths[-1], BatchFile(batch=name, server=index.server or UNSET, root=root, studies=studies))
    for stale in set((out / "batches").glob("batch-*.json")) - set(paths):
        stale.unlink()
    write_label_maps(index.studies, batches, out)
    _write_tables(index, out, batch_of)
    write_cache(index.memory, out / "index.parquet")
    return paths


def _write_tables(index: Index, out: Path, batch_of: dict[str, str]) -> None:
    studies = [
        StudyRow(study.study_id, study.digest, batch_of.get(study.study_id), study.labels) for study in index.studies
    ]
    series = [
        SeriesRow(study.study_id, verdict.series_uid, verdict.description, verdict.chosen, verdict.reason)
        for study in index.studies
        for verdict in study.series
    ]
    failures = [study.failure for study in index.studies if study.failure is not None]
    # No creation time: Nextflow compares these tables by content, so an unchanged cohort is not gathered again.
    timeless = {CREATION_TIME: ""}
    with_cells = with_user_columns(to_arrow(StudyRow, studies), [study.user_cells for study in index.studies])
    write_arrow(NAMES[StudyRow], with_cells, out / "studies.parquet", timeless)
    write_table(SeriesRow, series, out / "series.parquet", timeless)
    write_table(Failure, failures, out / "failures.parquet", timeless)
    write_table(UnreadRow, index.unread, out / "unread.parquet", timeless)
