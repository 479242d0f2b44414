"""Cases of how files hold a slice: order, numbers, transfer syntax, containers."""

import gc
import random
import tarfile
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import gdcm
import numpy as np
from dicom_series import make_series, save, stored_pixels
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.fileset import FileSet
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_cases.truth import Truth, case, true_stack

ORDER: Final = "order and names of files"
SYNTAX: Final = "transfer syntax"
COMPRESSED: Final = "compressed pixels"
CONTAINER: Final = "containers"
_PREAMBLE_BYTES: Final = 132


@case(ORDER, "plain")
def plain(folder: Path) -> Truth:
    save(make_series(), folder)
    return Truth(true_stack())


@case(ORDER, "reversed")
def reversed_files(folder: Path) -> Truth:
    series = make_series()
    for number, dataset in enumerate(series[::-1], start=1):
        dataset.InstanceNumber = number
    save(series[::-1], folder)
    return Truth(true_stack())


@case(ORDER, "shuffled names")
def shuffled_names(folder: Path) -> Truth:
    series = make_series()
    save(random.Random(3).sample(series, len(series)), folder)
    return Truth(true_stack())


@case(ORDER, "names without extension, in folders")
def nested_names(folder: Path) -> Truth:
    save(make_series(), folder / "A0001" / "Ü ,;'", "IM {}".format)
    return Truth(true_stack())


@case(ORDER, "equal InstanceNumber")
def equal_instance_numbers(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.InstanceNumber = 1
    save(series[::-1], folder)
    return Truth(true_stack())


@case(ORDER, "absent InstanceNumber")
def absent_instance_numbers(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        del dataset.InstanceNumber
    save(series[::-1], folder)
    return Truth(true_stack())


@case(SYNTAX, "implicit little endian")
def implicit(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    save(series, folder)
    return Truth(true_stack())


@case(SYNTAX, "explicit big endian")
def big_endian(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        dataset["PixelData"].VR = "OW"
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    save(series, folder)
    return Truth(true_stack())


@case(SYNTAX, "deflated")
def deflated(folder: Path) -> Truth:
    deflated_files(folder)
    return Truth(true_stack())


def deflated_files(folder: Path) -> list[Path]:
    """Write the series deflated."""
    series = make_series()
    for dataset in series:
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return save(series, folder)


@case(SYNTAX, "no preamble")
def no_preamble(folder: Path) -> Truth:
    for path in save(make_series(), folder, "{}".format):
        path.write_bytes(path.read_bytes()[_PREAMBLE_BYTES:])
    return Truth(true_stack())


@case(SYNTAX, "no preamble and no file meta information, explicit")
def bare_explicit(folder: Path) -> Truth:
    return _bare(folder, implicit=False)


@case(SYNTAX, "no preamble and no file meta information, implicit")
def bare_implicit(folder: Path) -> Truth:
    return _bare(folder, implicit=True)


def _bare(folder: Path, *, implicit: bool) -> Truth:
    for path, dataset in zip(save(make_series(), folder, "{}".format), make_series(), strict=True):
        del dataset.file_meta
        dataset["PixelData"].VR = "OW"
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
        write_dataset(buffer, dataset)
        path.write_bytes(buffer.getvalue())
    return Truth(true_stack())


def signed_series() -> list[Dataset]:
    """Return the series with 2000 taken from every value, stored signed."""
    series = make_series()
    for dataset in series:
        dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 1, 16, 15
        dataset.PixelData = (np.frombuffer(dataset.PixelData, "<u2").astype("<i2") - 2000).tobytes()
    return series


def compressed_files(folder: Path, syntax: UID, series: Sequence[Dataset] | None = None) -> list[Path]:
    """Write the series, or another one, compressed."""
    series = make_series() if series is None else series
    if syntax not in (JPEGLossless, JPEGLosslessSV1):
        for dataset in series:
            dataset.compress(syntax, generate_instance_uid=False)
    paths = save(series, folder)
    if syntax in (JPEGLossless, JPEGLosslessSV1):
        for path in paths:
            _recode(path, syntax)
    return paths


def _recode(path: Path, syntax: UID) -> None:
    """Compress a file in place with GDCM, the only library here that encodes JPEG lossless."""
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def _enter_compressed() -> None:
    syntaxes = {
        "RLE": RLELossless,
        "JPEG lossless, process 14": JPEGLossless,
        "JPEG lossless, selection value 1": JPEGLosslessSV1,
        "JPEG-LS": JPEGLSLossless,
        "JPEG 2000 lossless": JPEG2000Lossless,
    }
    for name, syntax in syntaxes.items():

        @case(COMPRESSED, name)
        def compressed(folder: Path, syntax: UID = syntax) -> Truth:
            compressed_files(folder, syntax)
            return Truth(true_stack())

        @case(COMPRESSED, f"{name}, signed")
        def compressed_signed(folder: Path, syntax: UID = syntax) -> Truth:
            compressed_files(folder, syntax, signed_series())
            return Truth(true_stack(values=stored_pixels(7) - 2000.0))


_enter_compressed()


@case(COMPRESSED, "JPEG 2000 lossless, several fragments a slice")
def fragments(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        dataset.PixelData = encapsulate([frame], fragments_per_frame=4, has_bot=False)
    save(series, folder)
    return Truth(true_stack())


@case(CONTAINER, "DICOMDIR")
def dicomdir(folder: Path) -> Truth:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # pydicom leaves its folder to the garbage collector
        files = FileSet()
        for dataset in make_series():
            dataset.StudyID, dataset.AccessionNumber = "1", ""
            files.add(dataset)
        files.write(folder)
        del files
        gc.collect()
    return Truth(true_stack())


@case(CONTAINER, "zip")
def zipped(folder: Path) -> Truth:
    paths = save(make_series(), folder)
    with zipfile.ZipFile(folder / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, f"images/{path.name}")
            path.unlink()
    return Truth(true_stack())


@case(CONTAINER, "tar")
def tarred(folder: Path) -> Truth:
    return _tar(folder, "study.tar", "w")


@case(CONTAINER, "tar.gz")
def gzipped_tar(folder: Path) -> Truth:
    return _tar(folder, "study.tar.gz", "w:gz")


def _tar(folder: Path, name: str, mode: str) -> Truth:
    paths = save(make_series(), folder)
    with tarfile.open(folder / name, mode) as archive:  # type: ignore[call-overload]  # the mode is one of the two above
        for path in paths:
            archive.add(path, f"images/{path.name}")
            path.unlink()
    return Truth(true_stack())
