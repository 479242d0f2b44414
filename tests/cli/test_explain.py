"""`scarnet explain` and `--series-rules`: which study is meant, exit codes, messages."""

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.tables.parquet import read_table

UIDS = ("1.2.840.99.7.0", "1.2.840.99.7.1")
IDS = tuple(map(study_id_from_uid, UIDS))
TAKE_MAG = '- series: take\n  description: "LGE_SAX_MAG"\n  why: the reader wants magnitude\n'


def scarnet(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Two studies, the first with magnitude beside phase-sensitive."""
    for i, uid in enumerate(UIDS):
        save(make_series(study=uid, series=f"1.2.840.99.8.{i}"), tmp_path / "in" / "DOE_JANE" / str(i))
    twin = make_series(
        study=UIDS[0], series="1.2.840.99.9.0", name="LGE_SAX_MAG", image_type=("ORIGINAL", "PRIMARY", "M")
    )
    save(twin, tmp_path / "in" / "DOE_JANE" / "0" / "twin")
    return tmp_path / "in"


@pytest.mark.parametrize("wanted", [IDS[0], UIDS[0], "DOE_JANE/0"])
def test_a_study_is_found_by_its_id_its_uid_or_its_folder(cohort: Path, wanted: str) -> None:
    result = scarnet("explain", cohort, wanted)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Study {IDS[0]}: 2 stacks in 2 series")
    assert "1 TAKEN LGE_SAX_PSIR" in result.stdout
    assert not any(word in result.stdout for word in (str(cohort), "Secret", "DOE_JANE", "1944"))


def test_a_folder_of_several_studies_shows_each(cohort: Path) -> None:
    result = scarnet("explain", cohort, "DOE_JANE")
    assert [line.split()[1] for line in result.stdout.splitlines() if line.startswith("Study ")] == [
        f"{study_id}:" for study_id in sorted(IDS)
    ]


def test_a_study_of_a_samplesheet_is_found_by_its_name_or_uid(cohort: Path) -> None:
    sheet = cohort.parent / "sheet.csv"
    sheet.write_text("study,dicom\nfirst,in/DOE_JANE/0\nsecond,in/DOE_JANE/1\n")
    assert scarnet("explain", sheet, "second").stdout.startswith("Study second: 1 stacks")
    assert scarnet("explain", sheet, UIDS[1]).stdout.startswith("Study second: 1 stacks")


def test_an_archive_below_the_input_is_found(cohort: Path) -> None:
    with zipfile.ZipFile(cohort / "study.zip", "w") as archive:
        for path in (cohort / "DOE_JANE" / "1").iterdir():
            archive.write(path, path.name)
    assert scarnet("explain", cohort, "study.zip").stdout.startswith(f"Study {IDS[1]}: 1 stacks")


def test_a_study_that_is_not_there_is_wrong_usage_with_near_matches(cohort: Path) -> None:
    result = scarnet("explain", cohort, IDS[0][:-2] + "xx")
    assert result.exit_code == 2
    assert IDS[0] in result.stderr
    assert scarnet("explain", cohort, "..").exit_code == 2  # not below the input


def test_a_study_that_cannot_be_read_says_so(cohort: Path) -> None:
    for path in (cohort / "DOE_JANE" / "1").glob("*.dcm"):
        path.write_bytes(path.read_bytes()[:300])
    result = scarnet("explain", cohort, "DOE_JANE/1")
    assert result.exit_code == 0
    assert "cannot be read" in result.stdout


def test_a_sites_rules_change_the_choice_and_say_so(cohort: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(TAKE_MAG)
    result = scarnet("explain", cohort, IDS[0], "--series-rules", rules)
    assert "1 TAKEN LGE_SAX_MAG" in result.stdout
    out = tmp_path / "out"
    assert scarnet("convert", cohort, "--out", out, "--series-rules", rules).exit_code == 0
    study = json.loads((out / "studies" / IDS[0] / "study.json").read_text())
    assert study["component"] == "magnitude"
    assert "site_rule" in [rule["code"] for rule in study["rules"]]


def test_changed_rules_change_the_entry_of_the_study_whose_choice_changed_alone(cohort: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(TAKE_MAG)
    scarnet("index", cohort, "--out", tmp_path / "a")
    previous = tmp_path / "a" / "index.parquet"  # what is remembered of files holds no decision
    scarnet("index", cohort, "--out", tmp_path / "b", "--previous", previous, "--series-rules", rules)
    before, after = (
        {
            s["study_id"]: s
            for p in sorted((tmp_path / out / "batches").iterdir())
            for s in json.loads(p.read_text())["studies"]
        }
        for out in "ab"
    )
    assert before[IDS[1]] == after[IDS[1]]
    assert before[IDS[0]]["sources"] != after[IDS[0]]["sources"]
    reasons = {row["description"]: row["reason"] for row in read_table(tmp_path / "b" / "series.parquet").to_pylist()}
    assert "a site's rule names it" in reasons["LGE_SAX_PSIR"]


@pytest.mark.parametrize("command", ["index", "convert", "run"])
def test_wrong_rules_are_told_before_any_work(cohort: Path, tmp_path: Path, command: str) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("- kind: lge\n  name: [a|b]\n  why: x\n- veiw: sax\n  name: x\n  why: x\n")
    places = [tmp_path / "out"] if command == "run" else ["--out", tmp_path / "out"]
    result = scarnet(command, cohort, *places, "--series-rules", rules)
    assert isinstance(result.exception, InputError)  # which the command line turns into exit code 1
    assert "line 2: 'a|b' holds '|'" in str(result.exception)
    assert "line 4: a rule has no key 'veiw' (did you mean 'view'?)" in str(result.exception)
    assert not list((tmp_path / "out").glob("*"))


def test_without_out_and_explain_the_option_is_named(cohort: Path) -> None:
    result = scarnet("index", cohort)
    assert result.exit_code == 2
    assert "--out" in result.stderr
