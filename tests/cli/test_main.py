import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from dicom_series import make_series, save

from scarnet_cli import __version__
from scarnet_cli.cli.main import COMMANDS, cli


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_version_is_the_bare_number() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output == f"{__version__}\n"


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    done = CliRunner().invoke(cli, ["segmnt"])
    assert done.exit_code == 2
    assert "Did you mean 'segment'?" in done.stderr


def test_help_names_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys\nfrom scarnet_cli.cli.main import cli\ntry: cli(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'pydicom', 'pandas', 'SimpleITK', 'duckdb') if m in sys.modules])"
    )
    output = run_python(code).stdout
    assert output.splitlines()[-1] == "[]"
    assert all(command in output for command in COMMANDS)


def test_no_commands_help_imports_what_only_its_work_needs() -> None:
    code = (
        "import sys\nfrom scarnet_cli.cli.main import COMMANDS, cli\n"
        "heavy = ('numpy', 'torch', 'pydicom', 'pyarrow', 'pandas', 'SimpleITK', 'duckdb')\n"
        "for command in COMMANDS:\n"
        "    cli([command, '--help'], standalone_mode=False)\n"
        "    print([command, *(name for name in heavy if name in sys.modules)], file=sys.stderr)"
    )
    assert run_python(code).stderr.splitlines() == [str([command]) for command in COMMANDS]


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: scarnet {command}" in " ".join(result.output.split())


def test_converting_imports_neither_torch_nor_duckdb() -> None:
    code = (
        "import sys\nfrom scarnet_cli.cli.main import cli\n"
        "try: cli(['convert', '--help'])\nexcept SystemExit: pass\n"
        "import scarnet_cli.dicom.convert_study, scarnet_cli.quantify.measures, scarnet_cli.gather.gather\n"
        "import scarnet_cli.report.page\nprint('torch' in sys.modules, 'duckdb' in sys.modules)"
    )
    assert run_python(code).stdout.splitlines()[-1] == "False False"


def test_an_index_of_plain_files_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    save(make_series(), tmp_path / "in")
    arguments = ["index", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    code = (
        f"import sys\nfrom scarnet_cli.cli.main import cli\ntry: cli({arguments!r})\nexcept SystemExit: pass\n"
        "heavy = ('torch', 'pydicom', 'pandas', 'SimpleITK', 'highdicom', 'requests', 'dicomanonymizer', 'duckdb')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert run_python(code).stdout.splitlines()[-1] == "[]"
    assert len(list((tmp_path / "out" / "batches").glob("*.json"))) == 1


def test_wrong_usage_exits_with_2_and_work_that_failed_with_1(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == 2
    command = [sys.executable, "-m", "scarnet_cli", "index", str(tmp_path), "--out", str(tmp_path / "out")]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: ")
    assert "Traceback" not in failed.stderr


def test_without_torch_a_command_that_needs_it_says_so(tmp_path: Path) -> None:
    converted = tmp_path / "studies" / "a" / "image.nii.gz"
    converted.parent.mkdir(parents=True)
    converted.touch()
    code = (
        f"import sys\nsys.modules['torch'] = None\nsys.argv = ['scarnet', 'crop', {str(tmp_path)!r}, '--weights',"
        f" sys.executable, '--out', {str(tmp_path)!r}]\nfrom scarnet_cli.cli.main import main\nmain()"
    )
    result = run_python(code)
    assert result.returncode == 1
    assert "this needs torch, which is not installed" in result.stderr
