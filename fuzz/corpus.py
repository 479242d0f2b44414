"""Valid files that fuzzing starts from: a slice in every encoding, multi-frame objects, archives, NIfTI, tables."""

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, JPEGLSLossless

from scarnet_cli.dicom.datasets import file_bytes
from scarnet_cli.dicom.facts import FrameFacts
from scarnet_cli.dicom.headers import read_header
from scarnet_cli.dicom.identity import path_key
from scarnet_cli.image.volume import Volume, write_nifti
from scarnet_cli.index.files.cache import file_rows, write_cache
from scarnet_cli.index.files.same_patient import Numbers
from scarnet_cli.phantom.dicom.stored import TRANSFER_SYNTAXES, new_file, set_pixels

_SIDE: Final = 32
_LARGEST: Final = 1024
_PIXEL_GROUPS: Final = (0x0028, 0x7FE0)
_MR_IMAGE: Final = UID("1.2.840.10008.5.1.4.1.1.4")
_ENHANCED_MR: Final = UID("1.2.840.10008.5.1.4.1.1.4.1")
# Small real files from pydicom, by other writers and in encodings that we cannot write.
_REAL_FILES: Final = (
    *("JPEG-lossy.dcm", "JPGExtended.dcm", "JPEG2000.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm"),
    *("MR_small_jp2klossless.dcm", "MR_small_padded.dcm", "MR_truncated.dcm", "SC_rgb_small_odd_jpeg.dcm"),
    *("SC_jpeg_no_color_transform.dcm", "nested_priv_SQ.dcm", "UN_sequence.dcm", "badVR.dcm", "no_meta.dcm"),
    *("test-SR.dcm", "empty_charset_LEI.dcm", "image_dfl.dcm", "test_PN.json"),
)


def slice_bytes(encoding: str) -> bytes:
    """Return one valid short-axis slice in one of the encodings that we write, or "jpeg_ls"."""
    pixels = np.random.default_rng(1).integers(0, 4096, (_SIDE, _SIDE)).astype(np.uint16)
    written = "explicit" if encoding == "jpeg_ls" else encoding
    dataset = new_file(_MR_IMAGE, UID("1.2.3.1"), written, UID("1.2.3"))  # type: ignore[arg-type]
    _describe(dataset)
    set_pixels(dataset, pixels, 12, written)  # type: ignore[arg-type]
    if encoding == "jpeg_ls":
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    return file_bytes(dataset)


def next_slice(facts: FrameFacts) -> bytes:
    """Return a valid slice 8 mm from another along its normal, so that both form a stack."""
    rows, columns = min(facts.rows or 1, _LARGEST), min(facts.columns or 1, _LARGEST)
    dataset = new_file(_MR_IMAGE, UID("1.2.3.9"), "explicit", UID("1.2.3"))
    _describe(dataset)
    dataset.StudyInstanceUID = facts.study_uid
    set_pixels(dataset, np.ones((rows, columns), np.uint16), 12, "explicit")
    cosines = np.array(facts.orientation or (1.0, 0, 0, 0, 1, 0))
    position = np.array(facts.position_xyz_mm or (0.0, 0, 0)) + 8 * np.cross(cosines[:3], cosines[3:])
    numbers = {"ImagePositionPatient": position, "ImageOrientationPatient": cosines}
    for keyword, values in (*numbers.items(), ("PixelSpacing", facts.spacing_yx_mm or (1, 1))):
        setattr(dataset, keyword, [f"{float(v):.12g}"[:16] for v in values])
    return file_bytes(dataset)


def enhanced_bytes(frames: int = 4) -> bytes:
    """Return one valid enhanced multi-frame object."""
    dataset = new_file(_ENHANCED_MR, UID("1.2.3.2"), "explicit", UID("1.2.3"))
    _describe(dataset)
    pixels = np.random.default_rng(2).integers(0, 4096, (frames * _SIDE, _SIDE)).astype(np.uint16)
    set_pixels(dataset, pixels, 12, "explicit")
    dataset.Rows, dataset.NumberOfFrames = _SIDE, frames
    dataset.SharedFunctionalGroupsSequence = Sequence([_macros(PixelMeasuresSequence={"PixelSpacing": [1.4, 1.25]})])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [
            _macros(
                PlanePositionSequence={"ImagePositionPatient": [0, 0, 8 * i]},
                PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
                PixelValueTransformationSequence={"RescaleIntercept": -5, "RescaleSlope": 2},
            )
            for i in range(frames)
        ]
    )
    return file_bytes(dataset)


def _describe(dataset: Dataset) -> None:
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.4", "1.2.3.5"
    dataset.Modality, dataset.SeriesDescription, dataset.ImageType = "MR", "LGE_SAX", ["ORIGINAL", "PRIMARY", "R"]
    dataset.PatientName, dataset.SpecificCharacterSet = "A^B", "ISO_IR 100"
    dataset.AcquisitionTime, dataset.AcquisitionDate, dataset.StudyDate = "101500.5", "20210304", "20210304"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.InstanceNumber, dataset.RescaleSlope, dataset.RescaleIntercept = [1, 1], 1, 1, 0


def _macros(**macros: dict[str, object]) -> Dataset:
    group = Dataset()
    for keyword, values in macros.items():
        item = Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(group, keyword, Sequence([item]))
    return group


def dicom_files() -> Iterator[bytes]:
    """Yield valid DICOM files of every kind and encoding."""
    yield from (slice_bytes(encoding) for encoding in (*TRANSFER_SYNTAXES, "jpeg_ls"))
    yield slice_bytes("explicit")[132:]
    yield enhanced_bytes()
    for name in _REAL_FILES:
        path = get_testdata_file(name, download=False)
        if path is not None:
            content = Path(str(path)).read_bytes()
            yield content
            if name.endswith(".dcm"):
                yield from _with_geometry(content)


def _with_geometry(content: bytes) -> Iterator[bytes]:
    """Yield the file with the header fields that our reader requires before it decodes pixels."""
    dataset = dcmread(io.BytesIO(content), force=True)
    if "PixelData" not in dataset or "TransferSyntaxUID" not in dataset.get("file_meta", {}):
        return
    for tag in [element.tag for element in dataset if element.tag.group not in _PIXEL_GROUPS]:
        del dataset[tag]
    _describe(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    yield buffer.getvalue()


def archives() -> Iterator[bytes]:
    """Yield valid archives of every supported kind."""
    members = {"a.dcm": slice_bytes("explicit"), "b/c": slice_bytes("rle"), "readme.txt": b"words"}
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size, info.pax_headers = len(content), {"comment": "x"}
                archive.addfile(info, io.BytesIO(content))
        yield buffer.getvalue()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        yield buffer.getvalue()


def nifti_files() -> Iterator[bytes]:
    """Yield valid NIfTI files of several data types, plain and compressed."""
    for dtype in (np.uint8, np.int16, np.float32, np.float64):
        array = np.arange(3 * 5 * 4).reshape(3, 5, 4).astype(dtype)
        volume = Volume(array, (8.0, 1.5, 1.25), (1.0, 2.0, 3.0), np.eye(3))
        for suffix in (".nii", ".nii.gz"):
            yield _written(suffix, volume)


def _written(suffix: str, volume: Volume) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"image{suffix}"
        write_nifti(volume, path)
        return path.read_bytes()


def caches() -> Iterator[bytes]:
    """Yield a valid cache of the index."""
    contents = [slice_bytes("explicit"), enhanced_bytes(), b"junk"]
    rows = [
        (path_key("a.dcm" if i == 0 else str(i)), 1, 2, 0, read_header(io.BytesIO(content), ".dcm"))
        for i, content in enumerate(contents)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.parquet"
        write_cache(file_rows(rows, Numbers()), path)
        yield path.read_bytes()


def sheets() -> Iterator[bytes]:
    """Yield valid samplesheets."""
    yield b"study,dicom,rv_insertion,reference\na,.,1 2 3,\nb,image.nii.gz,,image.nii.gz\n"
    yield '\ufeffstudy,dicom,site\r\n"x",".","A"\r\n'.encode()


def batches() -> Iterator[bytes]:
    """Yield a valid batch file, whose sources do not exist."""
    entry = {
        **{"study_id": "a", "digest": "0", "study_instance_uid": None, "manufacturer": None, "kind": "dicom"},
        **{"sources": [{"path": "a.dcm", "member": None, "frame": 0}], "chosen": [], "component": None, "rules": []},
        **{"flags": [], "rv_insertion": None, "reference": None},
    }
    nifti = {**entry, "study_id": "b", "kind": "nifti", "reference": "x.nii"}
    yield json.dumps({"batch": "batch-1", "root": ".", "studies": [entry, nifti]}).encode()
