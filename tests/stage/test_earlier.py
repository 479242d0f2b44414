"""Results of an earlier run make way, and none is lost before the next has succeeded."""

import json
import os
import re
from pathlib import Path

import pytest

from scarnet_cli.errors import InputError
from scarnet_cli.stage.earlier import forget_earlier, keep_tables, require_unclaimed, set_aside, studies_besides


def publish(out: Path, run: str, *studies: str, tables: bool = True) -> None:
    """Write what a run leaves: each file says which run wrote it."""
    names = [f"studies/{study}/study.json" for study in studies] + (["tables/scans.parquet"] if tables else [])
    for name in names:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(run)


def held(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_what_left_the_cohort_stays_aside_and_the_rest_is_forgotten(tmp_path: Path) -> None:
    publish(tmp_path, "first", "a", "b")
    assert forget_earlier(tmp_path) == []
    set_aside(tmp_path)
    assert not (tmp_path / "tables").exists()
    publish(tmp_path, "second", "b")
    assert forget_earlier(tmp_path) == ["a"]
    assert held(tmp_path) == {
        "earlier_run/studies/a/study.json": "first",
        "studies/b/study.json": "second",
        "tables/scans.parquet": "second",
    }


def test_studies_that_a_run_does_not_measure_are_known_before_it_begins(tmp_path: Path) -> None:
    assert studies_besides(tmp_path, ["a"]) == []
    publish(tmp_path, "first", "c", "a", "b")
    assert studies_besides(tmp_path, ["a", "new"]) == ["b", "c"]


def test_a_failed_runs_part_never_replaces_the_whole_results_that_wait(tmp_path: Path) -> None:
    publish(tmp_path, "first", "a", "b")
    set_aside(tmp_path)
    publish(tmp_path, "failed", "b", "c", tables=False)
    set_aside(tmp_path)
    assert held(tmp_path) == {
        "earlier_run/studies/a/study.json": "first",
        "earlier_run/studies/b/study.json": "first",
        "earlier_run/studies/c/study.json": "failed",
        "earlier_run/tables/scans.parquet": "first",
    }


def test_after_a_success_the_newer_results_wait_beside_those_that_left_before(tmp_path: Path) -> None:
    publish(tmp_path, "first", "a", "b")
    set_aside(tmp_path)
    publish(tmp_path, "second", "b")
    forget_earlier(tmp_path)
    set_aside(tmp_path)
    assert held(tmp_path) == {
        "earlier_run/studies/a/study.json": "first",
        "earlier_run/studies/b/study.json": "second",
        "earlier_run/tables/scans.parquet": "second",
    }


def test_the_tables_of_the_run_before_are_kept_to_compare_with(tmp_path: Path) -> None:
    publish(tmp_path, "first", "a")
    set_aside(tmp_path)
    publish(tmp_path, "second", "a")
    assert keep_tables(tmp_path)
    forget_earlier(tmp_path)
    assert not keep_tables(tmp_path)
    set_aside(tmp_path)
    publish(tmp_path, "third", "a")
    assert keep_tables(tmp_path)
    forget_earlier(tmp_path)
    assert held(tmp_path) == {
        "pipeline_info/earlier_tables/scans.parquet": "second",
        "studies/a/study.json": "third",
        "tables/scans.parquet": "third",
    }


def test_a_users_own_file_among_the_results_is_never_deleted(tmp_path: Path) -> None:
    publish(tmp_path, "first", "a")
    (tmp_path / "studies/a/drawn.nii.gz").write_text("by hand")
    set_aside(tmp_path)
    publish(tmp_path, "second", "a")
    assert forget_earlier(tmp_path) == []
    assert held(tmp_path / "earlier_run") == {"studies/a/drawn.nii.gz": "by hand"}


def test_nothing_is_left_aside_when_the_same_studies_are_measured_again(tmp_path: Path) -> None:
    publish(tmp_path, "first", "a")
    set_aside(tmp_path)
    publish(tmp_path, "second", "a")
    assert forget_earlier(tmp_path) == []
    assert not (tmp_path / "earlier_run").exists()


def test_an_output_that_a_run_of_the_pipeline_holds_is_refused_by_its_name(tmp_path: Path) -> None:
    require_unclaimed(tmp_path)
    claim = tmp_path / "pipeline_info" / "claim.json"
    claim.parent.mkdir()
    claim.write_text(json.dumps({"host": "node7", "process": 12, "session": "abc"}))
    with pytest.raises(InputError, match=re.escape("on node7, process 12, session abc")):
        require_unclaimed(tmp_path)
    long_ago = claim.stat().st_mtime - 301
    os.utime(claim, (long_ago, long_ago))
    require_unclaimed(tmp_path)
