"""Moving an earlier run's results in OUT out of this run's way, as workflows/earlier.nf does in the pipeline."""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from scarnet_cli.errors import InputError
from scarnet_cli.stage.folder import STUDIES, StudyFile, study_folder, study_folders

EARLIER: Final = "earlier_run"
# Paths in OUT that belong to one run.
_RESULTS: Final = ("tables", STUDIES, "report", "pipeline_info/parameters.json", "pipeline_info/versions.json")
# What is kept of them to compare with, and where.
_COMPARED: Final = (
    "tables/scans.parquet",
    "tables/failures.parquet",
    "pipeline_info/parameters.json",
    "pipeline_info/versions.json",
)
EARLIER_TABLES: Final = "pipeline_info/earlier_tables"
# workflows/claim.nf renews the claim every half minute.
_SILENT_S: Final = 300


def require_unclaimed(out: Path) -> None:
    """Check that no run of the pipeline is writing into `out`: there is no claim, or it was not renewed lately.

    Raises:
        InputError: A run is; the message names it.
    """
    claim = out / "pipeline_info" / "claim.json"
    if not claim.exists():
        return
    age_s = _now_s(claim.parent) - claim.stat().st_mtime
    if age_s < _SILENT_S:
        message = (
            f"A run of the pipeline writes into {out}{_named(claim.read_text())}; its last sign of life was "
            f"{age_s:.0f} s ago. Let it end, name another directory, or, if you know that it has ended, delete {claim}."
        )
        raise InputError("output_claimed", message)


def _named(text: str) -> str:
    try:
        who = json.loads(text)
    except ValueError:  # it is being written
        return ""
    return f": on {who['host']}, process {who['process']}, session {who['session']}"


def _now_s(folder: Path) -> float:
    """Return the current time by the clock of the folder's file system."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".clock-") as file:
        return Path(file.name).stat().st_mtime


def studies_besides(out: Path, study_ids: Iterable[str]) -> list[str]:
    """Return the studies that an earlier run measured in `out` and that are not among these, sorted."""
    return sorted({folder.study_id for folder in study_folders(out, StudyFile.STUDY)} - set(study_ids))


def set_aside(out: Path) -> None:
    """Move an earlier run's results to `out`/earlier_run.

    If complete results are there already, because a later run failed, they are kept and the failed run's partial
    results are deleted.
    """
    aside = out / EARLIER
    is_whole = (aside / "tables").exists()
    for name in _RESULTS:
        _move(out / name, aside / name, is_whole=is_whole)


def keep_tables(out: Path) -> bool:
    """Keep of `out`/earlier_run what `scarnet diff` reads, in `out`/pipeline_info/earlier_tables.

    Returns:
        Whether there was an earlier run.
    """
    aside = out / EARLIER
    if not (aside / "tables" / "scans.parquet").exists():
        return False
    for name in _COMPARED:
        kept = out / EARLIER_TABLES / Path(name).name
        kept.unlink(missing_ok=True)
        _move(aside / name, kept, is_whole=False)
    return True


def forget_earlier(out: Path) -> list[str]:
    """Delete from `out`/earlier_run the files that `out` also holds.

    Returns:
        The earlier studies that are not measured in `out`. They stay, as do files that `out` lacks.
    """
    aside = out / EARLIER
    if not aside.is_dir():
        return []
    folders = study_folders(aside)
    kept = [folder for folder in folders if not study_folder(out, folder.study_id).file(StudyFile.STUDY).exists()]
    _forget(aside, out, frozenset(folder.path for folder in kept))
    return [folder.study_id for folder in kept]


def _move(source: Path, target: Path, *, is_whole: bool) -> None:
    """Move a file or folder and merge it into `target` if that exists; files of `target` win if `is_whole`."""
    if source.is_dir() and target.exists():
        for path in list(source.iterdir()):
            _move(path, target / path.name, is_whole=is_whole)
        source.rmdir()
    elif source.exists() and target.exists() and is_whole:
        source.unlink()
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _forget(earlier: Path, present: Path, kept: frozenset[Path]) -> None:
    if earlier in kept:
        return
    if earlier.is_dir():
        for path in list(earlier.iterdir()):
            _forget(path, present / path.name, kept)
        if not any(earlier.iterdir()):
            earlier.rmdir()
    elif present.exists():
        earlier.unlink()
