"""`scarnet chain` from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hearts import write_sheet

from scarnet_cli.cli.main import cli
from scarnet_cli.model.store import read_weights_file


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of two cases of two slices."""
    return write_sheet(tmp_path_factory.mktemp("cases"), 2, slices=2)


def chain(sheet: Path, out: Path, *more: str) -> Result:
    fixed = ["--folds", "2", "--steps", "1", "--stack-steps", "1", "--batch", "2", "--threads", "1"]
    return CliRunner().invoke(cli, ["chain", str(sheet), "--out", str(out), *fixed, *more])


def test_one_command_trains_all_folds_and_all_cases(sheet: Path, tmp_path: Path) -> None:
    result = chain(sheet, tmp_path, "--cine", str(sheet))
    assert result.exit_code == 0, result.output
    for member in ("0", "1", "all"):
        file = read_weights_file(tmp_path / f"fold_{member}" / "weights.safetensors")
        assert (file.spec.architecture, file.spec.trained) == ("scarnet_stack", True)


def test_an_unknown_member_is_wrong_usage(sheet: Path, tmp_path: Path) -> None:
    result = chain(sheet, tmp_path, "--member", "7")
    assert result.exit_code == 2
    assert "7 is not a member; there are 0, 1, all" in " ".join(result.stderr.replace("│", " ").split())
