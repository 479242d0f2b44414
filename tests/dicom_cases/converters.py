"""This project and other converters, each in its everyday way: files in, NIfTI out, or why not."""

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import SimpleITK as sitk  # noqa: N813

from scarnet_cli.cli.convert import convert
from scarnet_cli.errors import ScarnetError


def by_scarnet(source: Path, out: Path) -> str | None:
    """Run `scarnet convert`; return the code of its refusal."""
    try:
        with suppress(SystemExit):  # the exit code says no more than the table of failures
            convert.main([str(source), "--out", str(out)], standalone_mode=False)
    except ScarnetError as error:
        return error.code
    codes = pq.read_table(out / "failures.parquet", columns=["code"])["code"].to_pylist()
    return codes[0] if codes else None


def by_dcm2niix(source: Path, out: Path) -> str | None:
    """Run dcm2niix with its defaults, compressed output; return its exit code where it gives nothing."""
    out.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name("dcm2niix")
    done = subprocess.run([program, "-z", "y", "-o", out, source], capture_output=True, check=False, timeout=60)
    return None if list(out.glob("*.nii.gz")) else f"exit code {done.returncode}"


def by_simpleitk(source: Path, out: Path) -> str | None:
    """Read every series that GDCM finds in a folder, as SimpleITK's examples do; return the error."""
    out.mkdir(parents=True, exist_ok=True)
    folders = sorted({source, *(p for p in source.rglob("*") if p.is_dir())})
    count = 0
    for folder in folders:
        for series in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
            names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series)
            try:
                image = sitk.ReadImage(names if len(names) > 1 else names[0])
            except RuntimeError:
                return "an error of ITK's reader"
            sitk.WriteImage(image, str(out / f"{count}.nii.gz"))
            count += 1
    return None if count else "no series found"


def by_dicom2nifti(source: Path, out: Path) -> str | None:
    """Convert a folder by dicom2nifti's own function, which prints why it could not convert a series and goes on."""
    import dicom2nifti  # noqa: PLC0415 (heavy, and needed for the table alone)

    out.mkdir(parents=True, exist_ok=True)
    with redirect_stderr(StringIO()) as printed:
        dicom2nifti.convert_directory(str(source), str(out))
    if list(out.glob("*.nii.gz")):
        return None
    reasons = re.findall(r"^dicom2nifti\.exceptions\.\w+: (\w+)", printed.getvalue(), re.MULTILINE)
    return reasons[-1] if reasons else "nothing converted"


CONVERTERS: Final[dict[str, Callable[[Path, Path], str | None]]] = {
    "scarnet": by_scarnet,
    "dcm2niix": by_dcm2niix,
    "SimpleITK": by_simpleitk,
    "dicom2nifti": by_dicom2nifti,
}
