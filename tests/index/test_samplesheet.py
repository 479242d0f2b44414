"""A samplesheet is right, or every wrong row of it is named."""

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from scarnet_cli.errors import InputError
from scarnet_cli.index.samplesheet import read_samplesheet
from scarnet_cli.tables.studies import StudyLabels


def sheet(folder: Path, text: str) -> Path:
    (folder / "a").mkdir(exist_ok=True)
    (folder / "b.nii.gz").touch()
    path = folder / "sheet.csv"
    path.write_text(text)
    return path


def test_rows_are_read_relative_to_the_sheet(tmp_path: Path) -> None:
    text = "study,dicom,patient,rv_insertion,reference\nP1,a,X,10.5 -20 3,b.nii.gz\n\nP2,b.nii.gz,,,\n"
    first, second = read_samplesheet(sheet(tmp_path, text))
    assert (first.study, first.dicom, first.labels.patient) == ("P1", tmp_path / "a", "X")
    assert first.rv_insertion == (10.5, -20.0, 3.0)
    assert first.reference == tmp_path / "b.nii.gz"
    assert not first.is_nifti
    assert second.is_nifti
    assert (second.rv_insertion, second.reference) == (None, None)
    assert second.labels == StudyLabels()


def test_labels_are_short_text_that_is_no_path(tmp_path: Path) -> None:
    text = (
        "study,dicom,site,group,visit\n"
        "P1,a,St. Olav's <2>,=drug; low dose,visit 1\n"
        "P2,a,/data/site,,\n"
        "P3,a,,C:\\trial,\n"
        f"P4,a,,,{'v' * 65}\n"
        "P5,a,a\x07b,\u202egroup,\n"
    )
    with pytest.raises(InputError) as raised:
        read_samplesheet(sheet(tmp_path, text))
    lines = str(raised.value).splitlines()
    assert lines[0] == "4 of the samplesheet's 5 rows are wrong:"
    assert "line 3: site is not a valid label: up to 64 characters" in lines[1]
    assert "line 4: group" in lines[2]
    assert "line 5: visit" in lines[3]
    assert "line 6: site is not a valid label" in lines[4]
    assert "; group is not a valid label" in lines[4]
    first, *_ = read_samplesheet(sheet(tmp_path, "\n".join(text.splitlines()[:2]) + "\n"))
    assert first.labels == StudyLabels(None, "St. Olav's <2>", "=drug; low dose", "visit 1")


def test_the_sheet_s_own_columns_may_have_capital_letters(tmp_path: Path) -> None:
    (row,) = read_samplesheet(sheet(tmp_path, "Study,DICOM,Group,Age\nP1,a,x,63\n"))
    assert (row.study, row.labels.group, row.user_cells) == ("P1", "x", {"Age": "63"})


def test_a_patient_that_is_missing_or_cut_short_joins_no_studies(tmp_path: Path) -> None:
    rows = read_samplesheet(sheet(tmp_path, "study,dicom,patient,group\nP1,a,NA,NA\nP2,a,null,None\nP3,a,Nan Li,x\n"))
    assert [row.labels.patient for row in rows] == [None, None, "Nan Li"]
    assert [row.labels.group for row in rows] == ["NA", "None", "x"]
    with pytest.raises(InputError, match=r"line 2: patient is a number that a spreadsheet cut short, like 1\.23E\+11"):
        read_samplesheet(sheet(tmp_path, "study;dicom;patient\nP1;a;1,23457E+11\n"))


@pytest.mark.parametrize(
    "text", ["10.5 -20 3", "10,5 -20 3", "10,5;-20;3", "10.5,-20,3", "(10.5, -20, 3)", "10,5, -20, 3"]
)
def test_a_point_is_three_numbers_however_they_are_separated(tmp_path: Path, text: str) -> None:
    (row,) = read_samplesheet(sheet(tmp_path, f'study;dicom;rv_insertion\nP1;a;"{text}"\n'))
    assert row.rv_insertion == (10.5, -20.0, 3.0)


def test_two_numbers_with_a_decimal_comma_are_no_point(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rv_insertion is not three numbers in mm"):
        read_samplesheet(sheet(tmp_path, 'study;dicom;rv_insertion\nP1;a;"10 20,5"\n'))


def test_every_wrong_row_is_named_at_once(tmp_path: Path) -> None:
    text = (
        "study,dicom,rv_insertion,reference\n"
        "P1,a,,\n"
        "../P2,a,,\n"
        "P3,missing,,\n"
        "P4,a,1 2,\n"
        "p1,a,,\n"
        "P6,a,,nowhere.nii.gz\n"
        "P7,,nan 1 2,\n"
    )
    with pytest.raises(InputError) as raised:
        read_samplesheet(sheet(tmp_path, text))
    lines = str(raised.value).splitlines()
    assert lines[0] == "6 of the samplesheet's 7 rows are wrong:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [f"line {n}" for n in range(3, 9)]
    assert "stands in line 2 too" in lines[4]
    assert "; rv_insertion" in lines[6]


def test_columns_of_the_users_own_are_kept_and_private_ones_are_not_read(tmp_path: Path) -> None:
    text = (
        "study,private_name,dicom,age,größe_cm,seen\nP1,Doe^Jane,a,63,170,3/4/2025\nP2,\x07/data,b.nii.gz,,,n/a\n"
        "P3,,a,,,../Doe\n"
    )
    with pytest.raises(InputError, match="1 of the samplesheet's 3 rows are wrong:\n  line 4: seen is no value"):
        read_samplesheet(sheet(tmp_path, text))
    rows = read_samplesheet(sheet(tmp_path, "\n".join(text.splitlines()[:3])))
    assert [dict(row.user_cells) for row in rows] == [
        {"age": "63", "größe_cm": "170", "seen": "3/4/2025"},
        {"age": "", "größe_cm": "", "seen": "n/a"},
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs the columns study, dicom"),
        ("study,path\nP1,a\n", "needs the columns study, dicom"),
        (
            "study,age\nP1,3\n",
            "may have patient, site, group, visit, rv_insertion, reference, labels, study_instance_uid and",
        ),
        ("study,dicom,Scar_ML\nP1,a,3\n", "column 3: 'scar_ml' is a column of the pipeline's table scans; give yours"),
        ("study,dicom,group,Group\nP1,a,3,4\n", "each once"),
        ("study,dicom,age,Age\nP1,a,3,4\n", "column 4: it differs from column 3 in capital letters alone"),
        ("study,dicom,age (years)\nP1,a,3\n", "column 3: its name cannot be a column: a letter, then up to 63"),
        (
            "study,dicom,Patient_Name\nP1,a,Doe\n",
            "column 3: 'Patient_Name' tells who the patient is, which no table may",
        ),
        ("study,dicom,1st\nP1,a,3\n", "column 3: its name cannot be a column"),
        ("study,dicom,note\nP1,a,/data/Doe\n", "line 2: note is no value for a table: up to 200 characters"),
        (f"study,dicom,note\nP1,a,{'x' * 201}\n", "line 2: note is no value for a table"),
        ("study,dicom,study\nP1,a,P1\n", "each once"),
        ("study,dicom\n", "has no rows"),
        ("study,dicom\nP1,a,more\n", "more cells"),
        ("study,dicom\nP1\n", "line 2: its dicom is empty"),
        ("study,dicom\nP1,b\n", "line 2: its dicom does not exist"),
        ("study,dicom\nP1,~/a\n", "line 2: its dicom does not exist: ~ and $ are not replaced in a samplesheet; write"),
        ("study,dicom\nP1,$HOME/a\n", "line 2: its dicom does not exist: ~ and $ are not replaced in a samplesheet"),
        ("study,dicom\nP1,D:/a\n", "line 2: its dicom does not exist: it is a Windows path; write the one that this"),
        ("study,dicom,labels\nP1,a,m\\l.nii\n", "line 2: its labels are not a file: it is a Windows path; write"),
    ],
)
def test_wrong_sheets_are_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match="samplesheet") as raised:
        read_samplesheet(sheet(tmp_path, text))
    assert words in str(raised.value)


@pytest.mark.parametrize(("written", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_accent_may_be_one_character_in_the_sheet_and_two_on_the_disk(
    tmp_path: Path, written: Literal["NFC", "NFD"], on_disk: Literal["NFC", "NFD"]
) -> None:
    folder = tmp_path / unicodedata.normalize(on_disk, "Zoë")
    folder.mkdir()
    (row,) = read_samplesheet(sheet(tmp_path, f"study,dicom\nP1,{unicodedata.normalize(written, 'Zoë')}\n"))
    assert row.dicom == folder


def test_a_sheet_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(b"\x89\xff\x00\x01")
    with pytest.raises(InputError, match="not a CSV file"):
        read_samplesheet(path)


def test_a_byte_order_mark_as_excel_writes_it_does_no_harm(tmp_path: Path) -> None:
    path = sheet(tmp_path, "\ufeffstudy,dicom\nP1,a\n")
    assert read_samplesheet(path)[0].study == "P1"


@pytest.mark.parametrize(
    "text",
    [
        "study;dicom;site\r\nP1;a;Oslo, north\r\nP2;a;\r\n",
        "study\tdicom\tsite\nP1\ta\tOslo, north\nP2\ta\t\n",
        'study,dicom,site\r\nP1,a,"Oslo, north"\r\n,,\r\nP2,a,\r\n,,,,\r\n',
        'study,dicom,,site,,\r\nP1,a,,"Oslo, north",,\r\nP2,a,,,,\r\n',
        '\r\n,,\r\nstudy,dicom,site\r\nP1,a,"Oslo, north"\r\nP2,a\r\n',
        "sep=;\r\nstudy;dicom;site\r\nP1;a;Oslo, north\r\nP2;a;\r\n",
        'study,dicom,site\rP1,a,"Oslo, north"\rP2,a,\r',
    ],
    ids=["semicolons", "tabs", "blank rows", "unnamed columns", "blank rows first", "sep=", "old Macintosh"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_sheets_as_spreadsheets_save_them_are_read(tmp_path: Path, text: str, encoding: str) -> None:
    path = sheet(tmp_path, "")
    path.write_bytes(text.encode(encoding))
    rows = read_samplesheet(path)
    assert [(row.study, row.labels.site) for row in rows] == [("P1", "Oslo, north"), ("P2", None)]


@pytest.mark.parametrize(
    "text", ["study,dicom,\nP1,a,lost\n", "study,dicom,,site\nP1,a,lost,\n", "study,dicom\nP1,a,b\n"]
)
def test_a_cell_without_a_named_column_is_not_lost_in_silence(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="line 2: it has more cells than the first line has columns"):
        read_samplesheet(sheet(tmp_path, text))


@pytest.mark.parametrize("start", [b"PK\x03\x04...", b"\xd0\xcf\x11\xe0..."])
def test_a_workbook_is_told_to_be_saved_as_csv(tmp_path: Path, start: bytes) -> None:
    path = sheet(tmp_path, "")
    path.write_bytes(start)
    with pytest.raises(InputError, match="is a workbook of Excel, Numbers or the like; save it as CSV"):
        read_samplesheet(path)
