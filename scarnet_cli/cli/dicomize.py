"""`scarnet dicomize`: turn NIfTI volumes and EMIDEC cases into DICOM studies."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY

if TYPE_CHECKING:
    from scarnet_cli.phantom.dicom.dicomize import NamedVolume
    from scarnet_cli.phantom.dicom.habits import Role, Vendor

NIFTI_SUFFIXES = (".nii", ".nii.gz")


@click.command(epilog="Example: scarnet dicomize ../shared/data/emidec --out demo/emidec")
@click.argument("source", metavar="INPUT", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=OUTPUT_DIRECTORY, required=True, help="Output directory.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--vendor", type=click.Choice(["siemens", "ge", "philips"]), help="Write all in one vendor's manner.")
@click.option(
    "--component",
    type=click.Choice(["psir", "magnitude"]),
    default="psir",
    show_default=True,
    help="Contrast of the volumes; EMIDEC's are phase-sensitive.",
)
def dicomize(source: Path, out: Path, seed: int, vendor: "Vendor | None", component: "Role") -> None:
    """Write INPUT as DICOM: a folder of EMIDEC cases, one such case, or a NIfTI file.

    Writes OUT/dicom with a study each, OUT/cases.csv (study_id, case) and, where there are expert contours,
    OUT/reference/<study_id>.nii.gz.
    """
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.phantom.dicom.dicomize import write_volumes

    cases = {path.name.split(".nii")[0]: _reader(path, component) for path in case_paths(source.resolve())}
    write_volumes(cases, out, seed=seed, vendor=vendor, progress=progress_bar)


def case_paths(source: Path) -> list[Path]:
    """Return the cases that INPUT holds: NIfTI files or folders in EMIDEC's layout.

    Raises:
        click.BadParameter: It holds neither.
    """
    if source.is_file() and source.name.endswith(NIFTI_SUFFIXES):
        return [source]
    if (source / "Images").is_dir():
        return [source]
    cases = sorted(path.parent for path in source.glob("*/Images")) if source.is_dir() else []
    if not cases:
        message = "holds no Case_X/Images/Case_X.nii.gz and is not a .nii or .nii.gz file"
        raise click.BadParameter(message, param_hint="INPUT")
    return cases


def _reader(path: Path, component: "Role") -> Callable[[], "NamedVolume"]:
    """Return the function that reads a case."""
    from scarnet_cli.cases.cases import read_case
    from scarnet_cli.image.volume import read_nifti
    from scarnet_cli.phantom.dicom.dicomize import NamedVolume

    def read() -> NamedVolume:
        if path.is_file():
            return NamedVolume(read_nifti(path), component)
        case = read_case(path)
        return NamedVolume(case.image, component, case.labels)

    return read
