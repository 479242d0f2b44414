"""What shows no heart is refused, or measured with a flag that asks for a look."""

from pathlib import Path

from other_images import other_images

from scarnet_cli.files import read_json
from scarnet_cli.image.volume import read_nifti, write_nifti
from scarnet_cli.infer.crop_stage import crop_studies
from scarnet_cli.infer.segment_stage import segment_studies
from scarnet_cli.quantify.measures import measure_study
from scarnet_cli.tables.flags import is_finding

WEIGHTS = Path(__file__).parents[2] / "weights"


def test_no_other_image_is_measured_without_a_flag(tmp_path: Path) -> None:
    images = {f"other-{number:02}": image for number, (_, image) in enumerate(other_images())}
    assert len(images) >= 50
    for name, image in images.items():
        write_nifti(image, tmp_path / "convert" / "studies" / name / "image.nii.gz")
    refused = crop_studies(tmp_path / "convert", WEIGHTS / "localiser.safetensors", tmp_path / "crop")
    refused += segment_studies(tmp_path / "crop", WEIGHTS / "scarnet.safetensors", tmp_path / "segment")
    assert {failure.code for failure in refused} == {"heart_not_found", "heart_not_segmented"}
    measured = set(images) - {failure.study_id for failure in refused}
    assert len(measured) <= len(images) // 8
    for name in measured:
        segmented = tmp_path / "segment" / "studies" / name
        labels = read_nifti(segmented / "labels.nii.gz")
        flags = [*read_json(segmented / "segment.json")["flags"], *measure_study(images[name], labels).flags]
        assert not all(map(is_finding, flags)), name
