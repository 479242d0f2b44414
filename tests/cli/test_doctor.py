from pathlib import Path

from click.testing import CliRunner

from scarnet_cli.cli.doctor import doctor


def test_doctor_ends_with_1_and_says_what_to_do_where_weights_are_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(doctor, ["--weights", str(tmp_path), "--work", str(tmp_path), "--profile", "conda"])
    assert result.exit_code == 1
    assert "wrong weights" in result.stdout
    assert "-> Fetch the folder weights/ again" in result.stdout
    assert "wrong; see the arrows above" in result.stderr


def test_doctor_help_shows_an_example() -> None:
    assert "scarnet doctor --work" in CliRunner().invoke(doctor, ["--help"]).output


def test_doctor_on_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert CliRunner().invoke(doctor, ["--work", str(tmp_path / "none")]).exit_code == 2


def test_doctor_with_an_unknown_profile_names_the_nearest() -> None:
    result = CliRunner().invoke(doctor, ["--profile", "slurm,aptainer"])
    assert result.exit_code == 2
    assert "There is no profile 'aptainer'; did you mean 'apptainer'?" in " ".join(
        result.stderr.replace("│", "").split()
    )
