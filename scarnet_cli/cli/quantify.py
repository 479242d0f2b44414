"""`scarnet quantify`: measure one image with its label map, or a batch of the pipeline."""

from pathlib import Path

import rich_click as click

from scarnet_cli.cli.case_options import LABEL_VALUES
from scarnet_cli.cli.stage_options import OUT, execution_options, tell_count
from scarnet_cli.stage.execution import Execution
from scarnet_cli.stage.records import LabelMapFile

_SOURCE = click.Path(exists=True, path_type=Path)


@click.command(
    epilog="Example: scarnet quantify lge.nii.gz labels.nii.gz --out tables\n\n"
    "Another tool's labels: scarnet quantify lge.nii.gz theirs.nii.gz --label-values values.csv --out tables"
)
@click.argument("image", type=_SOURCE)
@click.argument("labels", type=_SOURCE)
@OUT
@click.option("--study-id", help="Name of the study in the tables (two files only) [default: the image file's name].")
@click.option(
    "--rv-insertion",
    type=(float, float, float),
    metavar="X Y Z",
    help="Anterior RV insertion, LPS in mm (two files only) [default: estimated from patient geometry].",
)
@LABEL_VALUES
@click.option(
    "--label-map",
    "label_maps",
    type=(str, str, _SOURCE),
    metavar="STUDY SOURCE FILE",
    multiple=True,
    help="Label map from elsewhere: NIfTI, NRRD or DICOM SEG (directories only). SOURCE is corrected, given, or "
    "reader:NAME. May be repeated: of a study the first is measured in place of the network's, and those of readers "
    "are compared.",
)
@execution_options
def quantify(
    image: Path,
    labels: Path,
    out: Path,
    study_id: str | None,
    rv_insertion: tuple[float, float, float] | None,
    label_values: Path | None,
    label_maps: tuple[tuple[str, str, Path], ...],
    execution: Execution,
) -> None:
    """Measure the scar: volumes, burden, n-SD, FWHM, core and border, AHA segments, transmurality.

    IMAGE is a NIfTI file and LABELS a label map on its grid, as NIfTI, NRRD or DICOM SEG (0 background, 1 blood pool,
    2 myocardium, 3 scar, 4 MVO; --label-values says what the values of other people's maps mean); or both are the
    output directories of `scarnet convert` and `scarnet segment`. Writes scans, slices and segments.parquet; for
    directories also failures.parquet, and a picture and a record of each study.
    """
    from scarnet_cli.cases.label_values import read_label_values

    if image.is_dir() != labels.is_dir():
        message = "IMAGE and LABELS must be two files or two directories."
        raise click.UsageError(message)
    values = read_label_values(label_values) if label_values else None
    if image.is_dir():
        if (study_id, rv_insertion) != (None, None):
            message = "--study-id and --rv-insertion are for two files, not for the pipeline's batches."
            raise click.UsageError(message)
        from scarnet_cli.quantify.quantify_stage import quantify_studies

        given: dict[str, list[LabelMapFile]] = {}
        for study, source, path in label_maps:
            given.setdefault(study, []).append(_label_map_file(source, path))
        tell_count(quantify_studies(image, labels, out, execution, given, values))
        return
    if label_maps:
        message = "--label-map is for the pipeline's batches; of two files the second is the label map."
        raise click.UsageError(message)
    from scarnet_cli.quantify.pair import PairOptions, quantify_pair

    name = image.name.removesuffix(".gz").removesuffix(".nii")
    quantify_pair(image, labels, out, PairOptions(study_id or name, rv_insertion, values))


def _label_map_file(source: str, path: Path) -> LabelMapFile:
    kind, _, reader = source.partition(":")
    if kind == "reader" and reader:
        return LabelMapFile(str(path), "corrected", reader)
    if source not in ("corrected", "given"):
        message = f"its SOURCE is corrected, given or reader:NAME, not {source!r}."
        raise click.BadParameter(message, param_hint="--label-map")
    return LabelMapFile(str(path), "corrected" if source == "corrected" else "given")
