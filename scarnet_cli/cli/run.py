"""`scarnet run`: everything from DICOM to tables in one process, with the same functions as the pipeline."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.case_options import LABEL_VALUES
from scarnet_cli.cli.output_options import OUTPUT_DIRECTORY, TABLE_FORMAT
from scarnet_cli.cli.progress import progress_bar
from scarnet_cli.cli.reader_options import CORRECTED, READER, REVIEWED, corrections_in
from scarnet_cli.cli.source_options import SERIES_RULES, SOURCE, deidentify_options, index_source
from scarnet_cli.cli.stage_options import execution_options
from scarnet_cli.cli.versions import software_versions
from scarnet_cli.cli.weights_options import LOCALISER, WEIGHTS, weights_dir, weights_name
from scarnet_cli.dicom.series.rules_file import read_series_rules
from scarnet_cli.files import write_json
from scarnet_cli.stage.execution import Execution

if TYPE_CHECKING:
    from scarnet_cli.cases.label_values import LabelValues
    from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
    from scarnet_cli.dicom.series.rules import SeriesRules
    from scarnet_cli.gather.accounting import Accounting
    from scarnet_cli.index.label_maps import Corrections

_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Networks:
    """The weights files of a run, and whether segmentation sees each slice only once (`fast`)."""

    localiser: Path
    weights: Path
    fast: bool


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run.

    Attributes:
        rules: Rules that choose the series.
        dicom_results: Whether to write results as DICOM too.
        execution: How each stage is executed.
        pseudonyms: Pseudonyms for de-identification; None to keep identifiers.
        corrections: Where corrected label maps are; None without corrections.
        values: What the values of given label maps mean; None if they are those of `Label`.
        reviewed: A reader's decisions; None without.
        csv: Whether to write each table as CSV too.
    """

    rules: "SeriesRules"
    dicom_results: bool
    execution: Execution
    pseudonyms: "Pseudonyms | None" = None
    corrections: "Corrections | None" = None
    values: "LabelValues | None" = None
    reviewed: Path | None = None
    csv: bool = False

    def parameters(self, networks: Networks) -> dict[str, object]:
        """Return the settings under the names of the pipeline's parameters, as it keeps them."""
        return {
            "localiser": weights_name(networks.localiser),
            "weights": weights_name(networks.weights),
            "fast": networks.fast,
            "reader": self.corrections.reader if self.corrections else None,
            "deidentify": self.pseudonyms is not None,
            "dicom_results": self.dicom_results,
            "tables_format": "csv" if self.csv else "parquet",
        }


@click.command(epilog="Example: scarnet run /data/patient-7/mri results")
@click.argument("source", metavar="DICOM_DIR", type=SOURCE)
@click.argument("out", metavar="[OUT]", required=False, type=OUTPUT_DIRECTORY)
@click.option("--out", "out_option", type=OUTPUT_DIRECTORY, help="Output directory, if not given as the argument OUT.")
@LOCALISER
@WEIGHTS
@weights_dir
@SERIES_RULES
@click.option("--fast", is_flag=True, help="Look at each slice once, not in several views.")
@click.option(
    "--dicom-results", is_flag=True, help="Write seg.dcm and report.dcm too; they name the patient as the images do."
)
@CORRECTED
@READER
@LABEL_VALUES
@REVIEWED
@TABLE_FORMAT
@execution_options
@deidentify_options
def run(
    source: Place | str,
    out: Path | None,
    out_option: Path | None,
    localiser: Path,
    weights: Path,
    series_rules: Path | None,
    fast: bool,
    dicom_results: bool,
    corrected: Path | None,
    reader: str | None,
    label_values: Path | None,
    reviewed: Path | None,
    table_format: str,
    execution: Execution,
    deidentify: "Pseudonyms | None",
) -> None:
    """Measure the studies of DICOM_DIR without Nextflow.

    DICOM_DIR is a folder, an archive, a DICOM or NIfTI file, a samplesheet, or a server's address.

    Meant for one study or a few; OUT gets what the pipeline writes: tables, studies, report. Ends with exit code 1 when
    no study could be measured.
    """
    from scarnet_cli.cases.label_values import read_label_values
    from scarnet_cli.stage.earlier import EARLIER, EARLIER_TABLES, forget_earlier, keep_tables

    folders = [folder for folder in (out, out_option) if folder is not None]
    if len(folders) != 1:
        message = "Give one output directory, as the argument OUT or as --out."
        raise click.UsageError(message)
    (out,) = folders
    values = read_label_values(label_values) if label_values else None
    settings = RunSettings(
        rules=read_series_rules(series_rules),
        dicom_results=dicom_results,
        execution=execution,
        pseudonyms=deidentify,
        corrections=corrections_in(corrected, reader),
        values=values,
        reviewed=reviewed,
        csv=table_format == "csv",
    )
    accounting = run_studies_here(source, out, Networks(localiser, weights, fast), settings)
    click.echo(accounting.summary)
    click.echo(f"Tables: {out / 'tables'}\nReport: {out / 'report' / 'index.html'}")
    if not accounting.scans:
        click.echo("Error: no study could be measured; tables/failures.parquet says why.", err=True)
        sys.exit(1)
    if keep_tables(out):
        click.echo(f"What changed since the run before: scarnet diff {out / EARLIER_TABLES} {out}")
    if left := forget_earlier(out):
        said = f"Studies of an earlier run that this one did not measure: {_named(left)}"
        click.echo(f"{said}. They are in {out / EARLIER}.")


def run_studies_here(source: Place | str, out: Path, networks: Networks, settings: RunSettings) -> "Accounting":
    """Run every stage over one batch and write the results to the same paths as the pipeline.

    Raises:
        ScarnetError: The input, the weights or the accounting is wrong.
    """
    from scarnet_cli.gather.gather import gather
    from scarnet_cli.index.deidentify import require_none_identified
    from scarnet_cli.model.spec import Task
    from scarnet_cli.model.store import check_networks
    from scarnet_cli.report.page import write_report
    from scarnet_cli.stage.earlier import require_unclaimed, set_aside
    from scarnet_cli.stage.folder import STUDIES, publish
    from scarnet_cli.tables.database import require_fit

    check_networks({Task.LOCALISE: networks.localiser, Task.SEGMENT: networks.weights})
    require_unclaimed(out)
    require_fit(out)
    if settings.pseudonyms is not None:
        require_none_identified(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".run-") as name:
        work = Path(name)
        _run_stages(source, work, networks, settings)
        stages = sorted(path for path in work.iterdir() if path.is_dir())
        accounting = gather(stages, work / "tables", settings.reviewed, csv=settings.csv, progress=progress_bar)
        set_aside(out)
        (work / "tables").replace(out / "tables")
        publish(work, out)
    write_json(out / "pipeline_info" / "versions.json", software_versions())
    write_json(out / "pipeline_info" / "parameters.json", settings.parameters(networks))
    write_report(out / "tables", [out / STUDIES], out / "report")
    return accounting


def _run_stages(source: Place | str, work: Path, networks: Networks, settings: RunSettings) -> None:
    from scarnet_cli.dicom.batch import Batch, read_batch
    from scarnet_cli.dicom.convert_stage import convert_batch
    from scarnet_cli.index.files.read_contents import ReadOptions
    from scarnet_cli.index.index_input import IndexOptions, choice_by
    from scarnet_cli.index.label_maps import with_corrections
    from scarnet_cli.index.unread import files_summary
    from scarnet_cli.index.write_index import write_index
    from scarnet_cli.infer.crop_stage import crop_studies
    from scarnet_cli.infer.segment_stage import Mode, segment_studies
    from scarnet_cli.pacs.fetch import fetch_batch
    from scarnet_cli.quantify.quantify_stage import quantify_studies

    read = ReadOptions(int(settings.execution.isolate), progress=progress_bar)
    options = IndexOptions(read, (work.parent,), choice_by(settings.rules), settings.pseudonyms)
    index = with_corrections(index_source(source, None, options), settings.corrections)
    click.echo(files_summary(index.counts, index.unread), err=True)
    _announce_others(work.parent, [study.study_id for study in index.studies])
    paths = write_index(index, work / "index", len(index.studies), sys.maxsize)
    if index.server:
        for path in paths:
            fetch_batch(path, work / "fetch", None)
        paths = [work / "fetch"] if paths else []
    batch = read_batch(paths[0]) if paths else Batch(work, ())
    convert_batch(batch, work / "convert", settings.execution, settings.pseudonyms)
    crop_studies(work / "convert", networks.localiser, work / "crop", settings.execution)
    segment_studies(work / "crop", networks.weights, work / "segment", settings.execution, Mode(networks.fast))
    label_maps = {study.study_id: study.label_maps for study in index.studies if study.label_maps}
    quantify_studies(
        work / "convert", work / "segment", work / "quantify", settings.execution, label_maps, settings.values
    )
    if settings.dicom_results:
        from scarnet_cli.dicom.results.export_stage import export_studies

        export_studies(batch, [work / "quantify"], work / "export", settings.execution, pseudonyms=settings.pseudonyms)


def _announce_others(out: Path, study_ids: list[str]) -> None:
    """Say before anything is measured that OUT holds other studies, which the new tables will not have."""
    from scarnet_cli.draw.text import count_text
    from scarnet_cli.stage.earlier import EARLIER, studies_besides

    if others := studies_besides(out, study_ids):
        count = count_text(len(others), "other study", "other studies")
        click.echo(
            f"{out} holds {count} ({_named(others)}), which will not be in the new tables but in {out / EARLIER}. "
            "To have all in one table, give all together: a folder above them, or a samplesheet. To keep both, name "
            "another output directory.",
            err=True,
        )


def _named(studies: list[str]) -> str:
    return ", ".join(studies[:_MOST_NAMED]) + (", ..." if len(studies) > _MOST_NAMED else "")
