"""Which process runs how often and what is published, by the processes' stubs: no study is read and no network runs."""

from collections import Counter
from pathlib import Path

import pytest
from nextflow_launch import Launch

from scarnet_cli.stage.folder import PUBLISHED

pytestmark = pytest.mark.pipeline

INFO = {"index.parquet", "last_run.json", "parameters.json", "timeline.html", "trace.txt", "unread.parquet"}
INFO |= {"versions.json"}
TABLES = {
    f"tables/{name}.parquet"
    for name in ("failures", "follow_up", "readers", "readers_summary", "scans", "segments", "series", "slices")
}
MEASURED = [name for stage, name in PUBLISHED if stage != "export"]
ONCE = ("CHECK", "INDEX", "GATHER", "REPORT")
BATCHES = ("batch-1", "batch-2")  # those of INDEX's stub


def launched(folder: Path, *arguments: str) -> Launch:
    (folder / "input").mkdir()
    launch = Launch(folder)
    launch.succeed("-stub-run", *arguments)
    return launch


def runs(launch: Launch) -> Counter[str]:
    return Counter(process for process, _ in launch.tasks("COMPLETED"))


def published(launch: Launch) -> set[str]:
    return {path.relative_to(launch.out).as_posix() for path in launch.out.rglob("*") if path.is_file()}


def cohort_files(*files: str) -> set[str]:
    studies = {f"studies/of-{batch}/{name}" for batch in BATCHES for name in files}
    return {f"pipeline_info/{name}" for name in INFO} | TABLES | {"report/index.html"} | studies


def gathered(launch: Launch) -> list[str]:
    """Return the files that GATHER is shown of the stages, without the numbers of their fragments."""
    (task,) = launch.folder.glob(f"work/{launch.attempts('GATHER')[0]['hash']}*")
    shown = [
        f"{stage.name}/{path.name}"
        for fragment in (task / "fragments").iterdir()
        if fragment.name != "index"
        for stage in fragment.iterdir()
        for path in stage.iterdir()
    ]
    return sorted(shown)


def test_the_test_profile_makes_its_cohort_which_is_measured_batch_by_batch_and_gathered_once(tmp_path: Path) -> None:
    launch = launched(tmp_path, "-profile", "test", "--tidy")
    stages = ("CONVERT", "CROP", "SEGMENT", "QUANTIFY")
    assert runs(launch) == Counter({"MAKE_PHANTOMS": 1, **dict.fromkeys(ONCE, 1), **dict.fromkeys(stages, 2)})
    assert published(launch) == cohort_files(*MEASURED) | {"phantoms/truth.csv", "phantoms/truth.parquet"}
    measures = [f"quantify/{name}.parquet" for name in ("failures", "readers", "scans", "segments", "slices")]
    failures = [f"{stage}/failures.parquet" for stage in ("convert", "crop", "segment")]
    assert gathered(launch) == sorted(2 * [*failures, *measures])

    # A batch whose intermediates --tidy removed is computed from its DICOM when a later stage must run again.
    launch.succeed("-stub-run", "-profile", "test", "--fast", "-resume")
    redone = Counter({"INDEX": 1, "GATHER": 1, "REPORT": 1, **dict.fromkeys(stages, 2)})
    assert runs(launch) == redone


def test_a_servers_studies_are_fetched_exported_and_stored(tmp_path: Path) -> None:
    address = "dicomweb+https://pacs.invalid/dicom-web"
    launch = launched(tmp_path, "--input", address, "--store_to", address)
    stages = ("FETCH", "CONVERT", "CROP", "SEGMENT", "QUANTIFY", "EXPORT", "STORE")
    assert runs(launch) == Counter({**dict.fromkeys(ONCE, 1), **dict.fromkeys(stages, 2)})
    assert published(launch) == cohort_files(*(name for _, name in PUBLISHED))


def test_a_model_is_trained_for_each_fold_and_for_keeps_beside_its_localiser_and_unet(tmp_path: Path) -> None:
    launch = launched(tmp_path, "--workflow", "train", "--input", "input", "--folds", "2")
    # the localiser and the U-Net that ScarNet starts from: both folds and all cases
    expected = {"FOLDS": 1, "TRAIN": 6, "TRAIN_FROM_UNET": 3, "EVALUATE": 2, "COMPARE": 1, "DECIDE": 2}
    assert runs(launch) == expected
    run_files = ("curve.svg", "log.csv", "settings.json", "weights.safetensors")
    trained = {
        f"train/{model}/fold_{fold}/{name}"
        for model in ("localiser", "unet", "scarnet")
        for fold in ("0", "1", "all")
        for name in run_files
    }
    info = {f"pipeline_info/{name}" for name in INFO - {"index.parquet", "unread.parquet", "versions.json"}}
    weights = {"weights/localiser.safetensors", "weights/scarnet.safetensors"}
    assert published(launch) == trained | info | weights | {"benchmark/index.html"}


def test_a_benchmark_trains_what_is_not_finished_and_keeps_no_weights(tmp_path: Path) -> None:
    finished = tmp_path / "runs" / "unet" / "fold_0"
    finished.mkdir(parents=True)
    (finished / "weights.safetensors").touch()
    models = ("--models", "unet,scarnet,nnunet,medsam_zero_shot", "--runs", "runs", "--folds", "2", "--fold", "0")
    launch = launched(tmp_path, "--workflow", "benchmark", "--input", "input", *models)
    # the localiser is trained, ScarNet from the finished U-Net
    expected = {"FOLDS": 1, "TRAIN": 1, "TRAIN_FROM_UNET": 1, "NNUNET": 1, "EVALUATE": 4, "COMPARE": 1}
    assert runs(launch) == expected
    assert {path for path in published(launch) if not path.startswith("pipeline_info/")} == {"benchmark/index.html"}
