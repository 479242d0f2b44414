"""Real MR files that pydicom, pydicom-data and nibabel bring along: a volume or a refusal in words, never a crash."""

import gzip
from pathlib import Path

import data_store
import nibabel
import numpy as np
import pydicom.data
import pytest
import SimpleITK as sitk  # noqa: N813

from scarnet_cli.dicom.convert_study import convert_study
from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.geometry import stack_geometry
from scarnet_cli.dicom.headers import read_header
from scarnet_cli.dicom.pixels import read_volume
from scarnet_cli.dicom.stacks import form_stacks
from scarnet_cli.dicom.whole_files import Source
from scarnet_cli.errors import ScarnetError
from scarnet_cli.image.volume import Volume
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.stage.folder import study_folder

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
PYDICOM_DATA = Path(data_store.__file__).parent / "data"
NIBABEL = Path(nibabel.__file__).parent / "nicom" / "tests" / "data"
# One real slice each: Toshiba, Siemens and Philips, in seven transfer syntaxes.
SLICES = [
    PYDICOM / "MR_small.dcm",
    PYDICOM / "MR_small_RLE.dcm",
    PYDICOM / "MR_small_bigendian.dcm",
    PYDICOM / "MR_small_expb.dcm",
    PYDICOM / "MR_small_implicit.dcm",
    PYDICOM / "MR_small_jp2klossless.dcm",
    PYDICOM / "MR_small_jpeg_ls_lossless.dcm",
    PYDICOM / "MR_small_padded.dcm",
    PYDICOM / "examples_overlay.dcm",
    PYDICOM_DATA / "MR-SIEMENS-DICOM-WithOverlays.dcm",
    PYDICOM_DATA / "MR2_J2KR.dcm",
    PYDICOM_DATA / "MR2_UNCI.dcm",
    NIBABEL / "0.dcm",
]


def unpacked(path: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    copy = folder / path.name.removesuffix(".gz")
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize("root", [PYDICOM, PYDICOM_DATA, NIBABEL], ids=["pydicom", "pydicom-data", "nibabel"])
def test_every_packaged_file_ends_as_a_volume_or_a_refusal(tmp_path: Path, root: Path) -> None:
    paths = [p for p in sorted(root.rglob("*")) if p.is_file() and p.name.endswith((".dcm", ".dcm.gz"))]
    assert len(paths) > 5
    for number, path in enumerate(paths):
        words = refusal(unpacked(path, tmp_path / str(number)).parent, tmp_path / "out")
        assert words is None or words.endswith("."), path.name


def refusal(folder: Path, out: Path) -> str | None:
    """Return why the study in a folder is refused; None where a volume was written."""
    try:
        (study,) = index_input(folder, None, IndexOptions()).studies
        if study.entry is None:
            assert study.failure is not None
            return study.failure.message
        convert_study(study.entry, folder, study_folder(out, study.study_id))
    except ScarnetError as error:
        return str(error)
    assert (out / "studies" / study.study_id / "image.nii.gz").exists()
    return None


def volume_of(folder: Path) -> Volume:
    """Read all frames below a folder as one stack, whatever they show."""
    frames: list[Frame] = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            header = read_header(stream, path.suffix)
        frames += [Frame(FoundFile(path.name, None, 0, 0), facts) for facts in header.frames]
    (stack,) = form_stacks(frames)
    return read_volume(folder, [Source(f.file.path, None, f.facts.frame) for f in stack.frames])[0]


@pytest.mark.parametrize("path", SLICES, ids=[path.name for path in SLICES])
def test_pixels_of_a_real_slice_are_those_that_itk_reads(tmp_path: Path, path: Path) -> None:
    """The slice and a copy 8 mm further along its normal make a volume of two."""
    first = unpacked(path, tmp_path)
    dataset = pydicom.dcmread(first)
    cosines = np.array(dataset.ImageOrientationPatient, float)
    further = np.array(dataset.ImagePositionPatient, float) + 8.0 * np.cross(cosines[:3], cosines[3:])
    dataset.ImagePositionPatient = [f"{v:.9f}"[:16] for v in further]
    dataset.save_as(tmp_path / "further.dcm")
    volume = volume_of(tmp_path)
    image = sitk.ReadImage(str(first))
    np.testing.assert_array_equal(volume.array[0], sitk.GetArrayFromImage(image)[0].astype(np.float32))
    np.testing.assert_array_equal(volume.array[1], volume.array[0])
    np.testing.assert_allclose(volume.origin_xyz_mm, image.GetOrigin(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(volume.direction.ravel(), image.GetDirection(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(volume.spacing_zyx_mm[:0:-1], image.GetSpacing()[:2], rtol=1e-6)


def test_two_real_siemens_slices_make_the_volume_that_itk_reads(tmp_path: Path) -> None:
    paths = [unpacked(NIBABEL / name, tmp_path) for name in ("0.dcm", "1.dcm")]
    assert_same(volume_of(tmp_path), sitk.ReadImage([str(p) for p in paths]))


def test_a_real_philips_enhanced_object_lies_where_itk_puts_it(tmp_path: Path) -> None:
    """Every eighth frame of it: 1 mm apart, as they are, they would be taken for repeats. Its pixels were blanked."""
    path = unpacked(NIBABEL / "philips_mprage.dcm.gz", tmp_path)
    with path.open("rb") as stream:
        frames = read_header(stream, ".dcm").frames[::8]
    found = stack_geometry(np.array([f.position_xyz_mm for f in frames]), np.array([f.orientation for f in frames]))
    image = sitk.ReadImage(str(path))
    assert found.order == tuple(range(22))
    np.testing.assert_allclose(found.origin_xyz_mm, image.GetOrigin(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.direction.ravel(), image.GetDirection(), rtol=0, atol=1e-4)
    assert found.slice_spacing_mm == pytest.approx(8 * image.GetSpacing()[2], rel=1e-6)
    assert frames[0].spacing_yx_mm == pytest.approx(image.GetSpacing()[1::-1])


def assert_same(volume: Volume, image: sitk.Image) -> None:
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image).astype(np.float32))
    np.testing.assert_allclose(volume.origin_xyz_mm, image.GetOrigin(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(volume.direction.ravel(), image.GetDirection(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(volume.spacing_zyx_mm[::-1], image.GetSpacing(), rtol=1e-4)
