from pathlib import Path

from click.testing import CliRunner

from scarnet_cli.cli.run import run


def test_a_missing_weights_file_is_wrong_usage(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.safetensors")
    done = CliRunner().invoke(run, [str(tmp_path), str(tmp_path / "out"), "--weights", gone])
    assert done.exit_code == 2
    assert "--weights" in done.stderr
    assert not (tmp_path / "out").exists()


def test_help_shows_an_example() -> None:
    done = CliRunner().invoke(run, ["--help"])
    assert done.exit_code == 0
    assert "scarnet run /data/patient-7/mri results" in done.stdout


def test_the_output_directory_is_an_argument_or_an_option_and_not_both(tmp_path: Path) -> None:
    for given in ([], [str(tmp_path / "out"), "--out", str(tmp_path / "out")]):
        done = CliRunner().invoke(run, [str(tmp_path), *given])
        assert done.exit_code == 2
        assert "one output directory" in done.stderr
