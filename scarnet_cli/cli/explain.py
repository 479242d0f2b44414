"""`scarnet explain`: why each stack of one study was chosen or not."""

from pathlib import Path

import rich_click as click

from scarnet_cli.buckets.place import Place
from scarnet_cli.cli.source_options import FILES, HEADER_JOBS, PREVIOUS, SERIES_RULES
from scarnet_cli.errors import InputError


@click.command(epilog="Example: scarnet explain /data/cohort 70a0518dde302645")
@click.argument("source", metavar="INPUT", type=FILES)
@click.argument("study", metavar="STUDY")
@PREVIOUS
@HEADER_JOBS
@SERIES_RULES
def explain(source: Place, study: str, previous: Path | None, jobs: int, series_rules: Path | None) -> None:
    """Print every stack of one study of INPUT and why it was taken or left.

    STUDY is a study_id, a samplesheet's name, a StudyInstanceUID, or a folder below INPUT.
    """
    from scarnet_cli.cli.progress import progress_bar
    from scarnet_cli.dicom.series.explain import explained
    from scarnet_cli.dicom.series.rules_file import read_series_rules
    from scarnet_cli.index.explain import NO_SUCH_STUDY, explain_choices
    from scarnet_cli.index.files.cache import read_cache
    from scarnet_cli.index.files.read_contents import ReadOptions
    from scarnet_cli.index.index_input import IndexOptions, choice_by

    options = IndexOptions(ReadOptions(jobs, progress=progress_bar), choice=choice_by(read_series_rules(series_rules)))
    try:
        choices = explain_choices(source, study, read_cache([previous] if previous else []), options)
    except InputError as error:
        if error.code == NO_SUCH_STUDY:
            raise click.BadParameter(str(error), param_hint="STUDY") from None
        raise
    for choice in choices:
        click.echo(explained(choice.study_id, choice.selection) if choice.selection else choice.failure)
