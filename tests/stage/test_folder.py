"""The names of a study's files, and what of them is published."""

import re
from pathlib import Path

from scarnet_cli.stage.folder import PUBLISHED, StudyFile, StudyFolder, publish, study_folder, study_folders

MODULES = Path(__file__).parents[2] / "modules"
OUTPUT = re.compile(r"path 'published/studies/\*/([^']+)'")


def names_of(pattern: str) -> list[str]:
    """Return the names that a glob with braces stands for."""
    braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", pattern)
    return [f"{braces[1]}{part}{braces[3]}" for part in braces[2].split(",")] if braces else [pattern]


def test_nextflow_publishes_the_same_files_as_a_run_without_it() -> None:
    outputs = {
        (module.stem, name)
        for module in MODULES.glob("*.nf")
        for pattern in OUTPUT.findall(module.read_text())
        for name in names_of(pattern)
    }
    assert outputs == {(stage, str(name)) for stage, name in PUBLISHED}


def test_results_move_to_the_output_and_the_rest_stays(tmp_path: Path) -> None:
    for stage, name in (("convert", StudyFile.IMAGE), ("convert", StudyFile.STUDY), ("quantify", StudyFile.STUDY)):
        folder = study_folder(tmp_path / "work" / stage, "a")
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.file(name).write_text(stage)
    publish(tmp_path / "work", tmp_path / "out")
    (published,) = study_folders(tmp_path / "out")
    assert published == StudyFolder(tmp_path / "out" / "studies" / "a")
    assert published.file(StudyFile.STUDY).read_text() == "quantify"
    assert published.has(StudyFile.IMAGE, StudyFile.STUDY)
    assert study_folders(tmp_path / "work" / "convert", StudyFile.IMAGE) == []
    assert len(study_folders(tmp_path / "work" / "convert", StudyFile.STUDY)) == 1
