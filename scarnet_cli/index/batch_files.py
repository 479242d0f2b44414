"""Write what INDEX found: the tables, the cache, and one file for each batch of studies."""

from pathlib import Path
from typing import Any, Final

from scarnet_cli.errors import InputError
from scarnet_cli.files import read_json, write_json
from scarnet_cli.index.batching import batch_name, cut_batches
from scarnet_cli.index.files.cache import write_cache
from scarnet_cli.index.intake import Intake
from scarnet_cli.sheet import problem_of_name
from scarnet_cli.tables.parquet import CREATION_TIME, write_table

BATCH_LEAST: Final = 8
BATCH_GREATEST: Final = 32
# The batch file in a folder that `scarnet fetch` made.
FETCHED: Final = "batch.json"
_PARTS: Final = {"batch", "studies"}
_ENTRY_KEYS: Final = {"study_id", "digest", "kind", "sources", "rules", "flags", "reference"}


def write_plan(intake: Intake, out: Path, least: int = BATCH_LEAST, greatest: int = BATCH_GREATEST) -> list[Path]:
    """Write index.parquet, studies, series, failures and unread.parquet and the batches; return the batch files.

    A batch file holds paths and belongs to the work directory, not among results. Equal content gives equal bytes.

    Args:
        intake: What the input holds.
        out: Directory to write to.
        least: Smallest batch, in studies.
        greatest: Largest batch, in studies.

    Raises:
        InputError: The batch sizes make no sense.
    """
    entries = {study.study_id: study.entry for study in intake.studies if study.entry is not None}
    batches = {batch_name(ids): ids for ids in cut_batches(list(entries), least, greatest)}
    batch_of = {study_id: name for name, ids in batches.items() for study_id in ids}
    paths = []
    for name, ids in batches.items():
        paths.append(out / "batches" / f"{name}.json")
        place = {"server": intake.server} if intake.server else {"root": str(intake.root)}
        write_json(paths[-1], {"batch": name, **place, "studies": [entries[i] for i in ids]})
    for stale in set((out / "batches").glob("batch-*.json")) - set(paths):
        stale.unlink()
    _write_tables(intake, out, batch_of)
    write_cache(intake.memory, out / "index.parquet")
    return paths


def _write_tables(intake: Intake, out: Path, batch_of: dict[str, str]) -> None:
    studies = [
        {"study_id": s.study_id, "study_digest": s.digest, "batch": batch_of.get(s.study_id), **s.labels}
        for s in intake.studies
    ]
    series = [
        {
            "study_id": study.study_id,
            "series_instance_uid": verdict.series_uid,
            "description": verdict.description,
            "chosen": verdict.chosen,
            "reason": verdict.reason,
        }
        for study in intake.studies
        for verdict in study.series
    ]
    failures = [
        {"study_id": f.study_id, "stage": f.stage, "code": f.code, "message": f.message}
        for f in (study.failure for study in intake.studies)
        if f is not None
    ]
    # No time: Nextflow compares these tables by content, and an unchanged cohort is not gathered again.
    timeless = {CREATION_TIME: ""}
    write_table("studies", studies, out / "studies.parquet", timeless)
    write_table("series", series, out / "series.parquet", timeless)
    write_table("failures", failures, out / "failures.parquet", timeless)
    write_table("unread", intake.unread, out / "unread.parquet", timeless)


def is_batch(path: Path) -> bool:
    """Tell a batch (its file, or the folder that `scarnet fetch` made of it) from DICOM."""
    return path.suffix == ".json" or (path / FETCHED).is_file()


def read_batch(path: Path) -> dict[str, Any]:
    """Read a batch whose files are here.

    Args:
        path: Batch file of `scarnet index`, or the folder that `scarnet fetch` made of one.

    Raises:
        InputError: It is no batch file, or its files are still on a server.
    """
    batch = read_planned_batch(path / FETCHED if path.is_dir() else path)
    if "root" not in batch:
        message = (
            f"The files of {path.name} are on a DICOMweb server; name the folder that `scarnet fetch` makes of it."
        )
        raise InputError("not_fetched", message)
    # A fetched batch's files lie beside it, wherever it is staged.
    return {**batch, "root": str(path / batch["root"])} if path.is_dir() else batch


def read_planned_batch(path: Path) -> dict[str, Any]:
    """Read a batch file, wherever the files are that it names.

    Raises:
        InputError: It is no batch file.
    """
    try:
        batch = read_json(path)
    except (ValueError, RecursionError):
        batch = None
    if not isinstance(batch, dict) or not set(batch) >= _PARTS or not _are_entries(batch):
        message = f"{path.name} is no batch file; name one that `scarnet index` wrote, or a folder of DICOM."
        raise InputError("bad_batch", message)
    return batch


def _are_entries(batch: dict[str, Any]) -> bool:
    """Tell whether a batch's studies have what every entry has, and ids that name a folder below the output."""
    studies = batch["studies"]
    return (
        isinstance(batch.get("root", batch.get("server")), str)
        and isinstance(studies, list)
        and all(isinstance(s, dict) and set(s) >= _ENTRY_KEYS and isinstance(s["study_id"], str) for s in studies)
        and all(problem_of_name("study", s["study_id"]) is None for s in studies)
    )
