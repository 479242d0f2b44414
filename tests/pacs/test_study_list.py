from pathlib import Path

import pytest

from scarnet_cli.errors import InputError
from scarnet_cli.pacs.study_list import read_study_list


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "studies.csv"
    path.write_text(text)
    return path


def test_a_list_of_uids_names_studies_and_their_labels(tmp_path: Path) -> None:
    first, second = read_study_list(
        write(tmp_path, "study_instance_uid,study,patient,visit,age\n1.2.3,A-01,A,baseline,63\n1.2.4,,,,\n")
    )
    assert (first.keyword, first.value, first.row, first.study) == ("StudyInstanceUID", "1.2.3", 1, "A-01")
    assert (first.labels.patient, first.labels.visit, first.labels.site) == ("A", "baseline", None)
    assert [dict(row.user_cells) for row in (first, second)] == [{"age": "63"}, {"age": ""}]
    assert (second.value, second.row, second.study) == ("1.2.4", 2, None)


def test_a_list_of_accession_numbers(tmp_path: Path) -> None:
    (only,) = read_study_list(write(tmp_path, "accession_number\nMR/2020 17\n"))
    assert (only.keyword, only.value) == ("AccessionNumber", "MR/2020 17")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\nDOE\n", "study_instance_uid"),
        ("study_instance_uid\n", "no rows"),
        ("study_instance_uid\n1.2.x\n", "line 2: study_instance_uid is not a UID"),
        ("accession_number\nJANE*\n", "line 2: accession_number is empty, longer than 64 characters, or holds one of"),
        ("accession_number\nJANE\njane\n", "line 3: its accession_number stands in an earlier line too"),
        ("accession_number,study\nJANE,a\nJOE,A\n", "line 3: study 'A' stands in an earlier line too"),
        ("accession_number,study\nJANE,../x\n", "is not a valid name"),
    ],
)
def test_wrong_lists_are_refused_line_by_line_without_quoting_numbers(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_study_list(write(tmp_path, text))
    assert words in str(refused.value)
    assert "JANE" not in str(refused.value)
