"""What INDEX hands on under pseudonyms, and what of it comes out of the commands that need no Nextflow."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save
from planted import BIRTH, DAY, TOKEN, holders, plant, plant_shown, secrets_of
from pydicom.dataset import Dataset

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.deidentification.pseudonyms import Pseudonyms
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.files import write_json
from scarnet_cli.index.deidentify import require_none_identified
from scarnet_cli.tables.parquet import read_table

KEY = b"0123456789abcdef" * 2
PSEUDONYMS = Pseudonyms(KEY)
TABLES = ("studies", "series", "failures", "unread")
UIDS = [f"1.2.840.99.7.{n}" for n in range(4)]


@pytest.fixture
def planted() -> list[list[Dataset]]:
    """A sound study, one too short, one whose pixels are damaged, and one with writing in its pictures."""
    studies = [make_series(3 if n == 1 else 7, study=uid, series=f"1.2.840.99.8.{n}") for n, uid in enumerate(UIDS)]
    for series in studies:
        for dataset in series:
            plant(dataset)
    studies[2][3].PixelData = studies[2][3].PixelData[:-700]
    studies[3][3].BurnedInAnnotation = "YES"
    return studies


@pytest.fixture
def source(tmp_path: Path, planted: list[list[Dataset]]) -> Path:
    for dataset in (dataset for series in planted for dataset in series):
        plant_shown(dataset)
    save_all(planted, tmp_path / "in")
    (tmp_path / "in" / f"{TOKEN}_broken").mkdir()
    (tmp_path / "in" / f"{TOKEN}_broken" / f"{TOKEN}.dcm").write_bytes(f"{TOKEN} is no DICOM".encode())
    (tmp_path / "key").write_bytes(KEY)
    return tmp_path / "in"


@pytest.fixture
def key(source: Path) -> tuple[str, ...]:
    return ("--deidentify", "--deidentify-key", str(source.parent / "key"))


def save_all(studies: list[list[Dataset]], folder: Path) -> None:
    for n, series in enumerate(studies):
        save(series, folder / f"{TOKEN}_{n}", f"{TOKEN}^{{:03d}}".format)


def scarnet(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in ("-v", *arguments)])


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_convert_gives_nothing_away_in_files_messages_or_log(
    source: Path, key: tuple[str, ...], planted: list[list[Dataset]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = scarnet("convert", source, "--out", tmp_path / "out", *key)
    assert result.exit_code == 0
    rows = {row["study_id"]: row["code"] for row in read_table(tmp_path / "out" / "failures.parquet").to_pylist()}
    expected = [PSEUDONYMS.study(study_id_from_uid(uid)) for uid in UIDS]
    assert [rows.get(study_id) for study_id in expected] == [None, "no_lge_stack", "bad_pixels", "burned_in_annotation"]
    assert len(rows) == 4
    assert [path.name for path in (tmp_path / "out" / "studies").iterdir()] == expected[:1]
    (tmp_path / "out" / "messages.txt").write_text(f"{result.output}{result.stderr}{caplog.text}")
    assert "Nearest was 'LGE_SAX_PSIR …'" in result.stderr
    secrets = [*secrets_of(dataset for series in planted for dataset in series), *plain_ids()]
    assert holders(files_of(tmp_path / "out"), secrets) == {}


def plain_ids() -> list[bytes]:
    return [study_id_from_uid(uid).encode() for uid in UIDS]


def test_index_keeps_names_only_where_the_tasks_need_them(
    source: Path, key: tuple[str, ...], planted: list[list[Dataset]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = scarnet("index", source, "--out", tmp_path / "out", *key)
    assert result.exit_code == 0, result.output
    (tmp_path / "out" / "messages.txt").write_text(f"{result.output}{result.stderr}{caplog.text}")
    secrets = [*secrets_of(dataset for series in planted for dataset in series), *plain_ids()]
    found = {Path(path).relative_to(tmp_path / "out").parts[0] for path in holders(files_of(tmp_path / "out"), secrets)}
    assert found == {"batches", "index.parquet"}
    series = read_table(tmp_path / "out" / "series.parquet").to_pylist()
    assert {row["series_instance_uid"] for row in series} == {PSEUDONYMS.uid(f"1.2.840.99.8.{n}") for n in range(4)}
    assert {row["description"] for row in series} == {"LGE_SAX_PSIR …"}


def test_plans_that_are_taken_over_from_the_last_index_give_nothing_away_either(
    source: Path, key: tuple[str, ...], planted: list[list[Dataset]], tmp_path: Path
) -> None:
    for run, previous in (("first", ()), ("second", ("--previous", tmp_path / "first" / "index.parquet"))):
        assert scarnet("index", source, "--out", tmp_path / run, *key, *previous).exit_code == 0
    tables = [[read_table(tmp_path / run / f"{name}.parquet") for name in TABLES] for run in ("first", "second")]
    assert tables[0] == tables[1]
    secrets = [*secrets_of(dataset for series in planted for dataset in series), *plain_ids()]
    assert holders([tmp_path / "second" / f"{name}.parquet" for name in TABLES], secrets) == {}


def test_a_place_that_could_not_be_read_is_found_by_its_pseudonym(
    source: Path, key: tuple[str, ...], tmp_path: Path
) -> None:
    (source / f"{TOKEN}_link").symlink_to(tmp_path / "nowhere")
    assert scarnet("index", source, "--out", tmp_path / "out", *key).exit_code == 0
    (row,) = read_table(tmp_path / "out" / "unread.parquet").to_pylist()
    assert row["place"] == PSEUDONYMS.study(path_key(f"{TOKEN}_link")[:16])
    found = scarnet("find", source, row["place"], *key)
    assert found.stdout.splitlines() == [str(source / f"{TOKEN}_link")]


def test_the_crosswalk_says_who_is_who_to_its_owner_alone(source: Path, key: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(f"study,dicom,patient\nSmith_2019,in/{TOKEN}_0,Smith\n")
    arguments = ("index", tmp_path / "sheet.csv", "--out", tmp_path / "out", "--crosswalk", tmp_path / "who.csv")
    assert scarnet(*arguments, *key).exit_code == 0
    with (tmp_path / "who.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "study_id": PSEUDONYMS.study("Smith_2019"),
        "original_study_id": "Smith_2019",
        "study_instance_uid": PSEUDONYMS.uid(UIDS[0]),
        "original_study_instance_uid": UIDS[0],
        "patient": PSEUDONYMS.patient("Smith"),
        "original_patient": "Smith",
    }
    assert (tmp_path / "who.csv").stat().st_mode & 0o777 == 0o600
    assert "Smith" not in "".join(map(str, read_table(tmp_path / "out" / "studies.parquet").to_pylist()))
    result = scarnet(*arguments)
    assert result.exit_code == 2
    assert "no pseudonyms without --deidentify" in " ".join(result.stderr.split())


def test_without_a_key_it_is_wrong_usage_and_says_how_to_make_one(source: Path, tmp_path: Path) -> None:
    for command in ("index", "convert"):
        result = scarnet(command, source, "--out", tmp_path / "out", "--deidentify")
        assert result.exit_code == 2
        words = " ".join(result.stderr.replace("│", "").split())
        assert "head -c 32 /dev/urandom | base64 > FILE" in words
        assert "SCARNET_DEIDENTIFY_KEY" in words


def test_the_environment_may_name_the_key(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCARNET_DEIDENTIFY_KEY", str(tmp_path / "key"))
    assert scarnet("index", source, "--out", tmp_path / "out", "--deidentify").exit_code == 0
    ids = read_table(tmp_path / "out" / "studies.parquet")["study_id"].to_pylist()
    assert PSEUDONYMS.study(study_id_from_uid(UIDS[0])) in ids


def test_results_with_names_are_not_added_to(tmp_path: Path) -> None:
    require_none_identified(tmp_path)
    write_json(tmp_path / "studies" / "a" / "study.json", {"deidentified": True})
    require_none_identified(tmp_path)
    write_json(tmp_path / "studies" / "b" / "study.json", {"deidentified": False})
    with pytest.raises(InputError, match="1 of the 2 studies"):
        require_none_identified(tmp_path)


def test_without_the_flag_no_name_date_or_path_is_in_tables_volumes_or_messages(
    planted: list[list[Dataset]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / f"{TOKEN}_in"
    save_all(planted, source)
    (source / "broken.dcm").write_bytes(f"{TOKEN} is no DICOM".encode())
    result = scarnet("convert", source, "--out", tmp_path / "out")
    (tmp_path / "out" / "messages.txt").write_text(f"{result.output}{result.stderr}{caplog.text}")
    assert read_table(tmp_path / "out" / "failures.parquet").num_rows == 4
    secrets = [text.lower().encode() for text in (TOKEN, BIRTH, DAY)]
    assert holders(files_of(tmp_path / "out"), secrets) == {}
