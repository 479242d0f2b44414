import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hearts import region_dice

from scarnet_cli.errors import IntermediateError, ModelError
from scarnet_cli.files import file_sha256, read_json
from scarnet_cli.image.volume import read_nifti, same_grid, write_nifti
from scarnet_cli.infer.crop_stage import crop_studies
from scarnet_cli.infer.localise import crop_heart
from scarnet_cli.infer.segment import segment_crops
from scarnet_cli.infer.segment_stage import Mode, segment_studies
from scarnet_cli.infer.segment_study import GroupedPredictions
from scarnet_cli.model.weights import TrainedNetwork
from scarnet_cli.phantom.make import Phantom, make_phantom
from scarnet_cli.stage.execution import Execution

WEIGHTS = Path(__file__).parents[2] / "weights"


@pytest.fixture(scope="module")
def cropped(tmp_path_factory: pytest.TempPathFactory, phantom: Phantom) -> Path:
    """Two whole studies and a blank one, through CROP."""
    converted, out = tmp_path_factory.mktemp("convert"), tmp_path_factory.mktemp("crop")
    blank = phantom.image.with_array(np.zeros_like(phantom.image.array))
    for name, image in (("a", phantom.image), ("b", blank), ("c", make_phantom(3).image)):
        write_nifti(image, converted / "studies" / name / "image.nii.gz")
    failures = crop_studies(converted, WEIGHTS / "localiser.safetensors", out)
    assert [(f.study_id, f.stage, f.code) for f in failures] == [("b", "crop", "blank_image")]
    return out


@pytest.fixture(scope="module")
def segmented(cropped: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int | None]:
    """Both studies through SEGMENT in a process of its own: its directory, and its peak of memory in KiB on Linux."""
    out = tmp_path_factory.mktemp("segment")
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from scarnet_cli.infer.segment_stage import segment_studies\n"
        "assert segment_studies(*map(Path, sys.argv[1:])) == []\n"
        # not getrusage, whose peak is that of the process that started this one if it is greater
        "status = Path('/proc/self/status')\n"
        "if status.exists(): print(status.read_text().split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", code, str(cropped), str(WEIGHTS / "scarnet.safetensors"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return out, int(done.stdout) if done.stdout else None


def test_labels_come_back_on_the_full_grid_and_agree_with_the_truth(
    segmented: tuple[Path, int | None], phantom: Phantom
) -> None:
    out, _ = segmented
    labels = read_nifti(out / "studies" / "a" / "labels.nii.gz")
    assert same_grid(labels, phantom.image)
    assert labels.array.dtype == np.uint8
    scores = region_dice(labels.array, phantom.labels.array)
    assert scores["blood_pool"] > 0.85
    assert scores["myocardium"] > 0.75
    record = read_json(out / "studies" / "a" / "segment.json")
    assert record["model"] == "scarnet"
    assert len(record["model_sha256"]) == 64
    assert record["localiser_sha256"] == file_sha256(WEIGHTS / "localiser.safetensors")
    assert record["decision_scar_share"] == 0.5
    assert record["decision_least_scar_percent"] == 0.0
    assert record["segment_mode"] == "default"
    assert 0.3 < record["confidence"] <= 1.0
    assert 0.0 <= record["scar_probability"] <= 1.0
    assert set(record["margins"]) == {"scar_percent", "scar_ml", "mvo_percent"}


def test_a_study_of_ten_slices_needs_less_than_2_gib(cropped: Path, segmented: tuple[Path, int | None]) -> None:
    assert read_nifti(cropped / "studies" / "c" / "crop.nii.gz").shape_zyx[0] == 10
    _, peak_kib = segmented
    if peak_kib is None:
        pytest.skip("the peak of memory is read as Linux tells it")
    assert peak_kib * 1024 < 2 * 2**30


def test_the_fast_mode_says_so_and_still_finds_the_heart_in_a_process_apart(
    cropped: Path, phantom: Phantom, tmp_path: Path
) -> None:
    # torch's threads have run in this process: a forked one would wait for them for ever, where there are two.
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.nn.functional.conv2d(torch.ones(8, 16, 64, 64), torch.ones(16, 16, 3, 3))
    torch.set_num_threads(threads)
    (tmp_path / "crop" / "studies").mkdir(parents=True)
    (tmp_path / "crop" / "studies" / "a").symlink_to(cropped / "studies" / "a")
    out, execution = tmp_path / "segment", Execution(isolate=True, study_minutes=5)
    weights = WEIGHTS / "scarnet.safetensors"
    assert segment_studies(tmp_path / "crop", weights, out, execution, Mode(fast=True)) == []
    labels = read_nifti(out / "studies" / "a" / "labels.nii.gz")
    scores = region_dice(labels.array, phantom.labels.array)
    assert scores["blood_pool"] > 0.8
    assert scores["myocardium"] > 0.7
    record = read_json(out / "studies" / "a" / "segment.json")
    assert (record["segment_mode"], record["device"]) == ("fast", "cpu")


def middle_slices(cropped: Path, study: str, slices: int, out: Path) -> None:
    """Write a crop of so many slices about a study's middle, and its record."""
    folder = out / "studies" / study
    crop = read_nifti(cropped / "studies" / study / "crop.nii.gz")
    first = (crop.shape_zyx[0] - slices) // 2
    write_nifti(replace(crop, array=crop.array[first : first + slices]), folder / "crop.nii.gz")
    shutil.copy(cropped / "studies" / study / "crop.json", folder)


def test_a_study_alone_and_in_a_group_gets_the_same_probabilities(
    cropped: Path, segmenter: TrainedNetwork, tmp_path: Path
) -> None:
    for study, slices in (("a", 2), ("c", 3)):
        middle_slices(cropped, study, slices, tmp_path)
    predict = partial(segment_crops, trained=segmenter)
    together = GroupedPredictions(tmp_path, ["a", "c"], predict, group=2)
    alone = GroupedPredictions(tmp_path, ["a", "c"], predict, group=1)
    for study in ("a", "c"):
        assert np.array_equal(together.of(study).seen.probability, alone.of(study).seen.probability)


def test_a_damaged_crop_ends_the_stage_and_says_what_to_delete(cropped: Path, tmp_path: Path) -> None:
    crops = tmp_path / "crop"
    for study in ("a", "c"):
        (crops / "studies" / study).mkdir(parents=True)
        for path in (cropped / "studies" / study).iterdir():
            (crops / "studies" / study / path.name).write_bytes(path.read_bytes())
    (crops / "studies" / "a" / "crop.nii.gz").write_text("no image")
    with pytest.raises(IntermediateError, match=f"studies/a/crop.nii.gz.* is gone or damaged.* delete {crops}"):
        segment_studies(crops, WEIGHTS / "scarnet.safetensors", tmp_path / "segment")
    assert not (tmp_path / "segment" / "failures.parquet").exists()


def test_weights_of_another_task_end_the_stage(cropped: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="are for localise, not for segment"):
        segment_studies(cropped, WEIGHTS / "localiser.safetensors", tmp_path)


def test_localiser_weights_are_refused(phantom: Phantom, localiser: TrainedNetwork) -> None:
    with pytest.raises(ModelError, match="are for localise, not for segment"):
        segment_crops([crop_heart(phantom.image, localiser).image], localiser)


def test_weights_that_are_pretrained_alone_are_refused(segmenter: TrainedNetwork, phantom: Phantom) -> None:
    untrained = replace(segmenter, spec=replace(segmenter.spec, trained=False))
    with pytest.raises(ModelError, match="are pretrained alone; train them first"):
        segment_crops([phantom.image], untrained)
