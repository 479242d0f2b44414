"""Whatever an anonymiser did to identifiers: each patient's own pixels, or a refusal; nobody is lost or mixed."""

import re
from pathlib import Path

import pytest
from dicom_series import save
from identifiers import ATTRIBUTES, BEGIN, END, KINDS, PAGE, PATIENTS, TOGETHER, Outcome, outcome, patient

from scarnet_cli.index.files.read_contents import ReadOptions
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.write_index import write_index
from scarnet_cli.tables.failures import CODES
from scarnet_cli.tables.flags import FLAGS


def told(name: str, column: int) -> str:
    """Return what the page says of a case."""
    rows = PAGE.read_text().split(BEGIN)[1].split(END)[0].splitlines()
    (row,) = [line for line in rows if line.startswith(f"| {name} |")]
    return re.split(r" \| | \|$", row.removeprefix("| "))[column]


def require_right_or_refused(found: Outcome) -> None:
    assert "WRONG" not in found.measured
    assert len(set(found.measured)) == len(found.measured)
    assert len(found.measured) == len(PATIENTS) or found.failures
    assert set(found.failures) <= CODES
    assert set(found.flags) <= set(FLAGS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_one_attribute_never_loses_or_mixes_patients(name: str, kind: str) -> None:
    found = outcome({ATTRIBUTES[name]: kind})
    require_right_or_refused(found)
    assert found.words == told(name, 1 + KINDS.index(kind))


@pytest.mark.parametrize("name", TOGETHER)
def test_several_attributes_never_lose_or_mix_patients(name: str) -> None:
    changes, one_folder = TOGETHER[name]
    found = outcome(changes, one_folder=one_folder)
    require_right_or_refused(found)
    assert found.words == told(name, 1)


def test_untouched_identifiers_are_measured_without_a_flag() -> None:
    assert outcome({}) == Outcome(PATIENTS, (), ())


def test_what_is_said_of_a_patient_is_kept_nowhere(tmp_path: Path) -> None:
    for which in PATIENTS:
        images = patient(which)
        for dataset in images:
            dataset.StudyInstanceUID = "1.2.3"
            dataset.PatientID, dataset.PatientName = f"Geheim{which}", f"Müstermann{which}^Zoë"
            dataset.SpecificCharacterSet = "ISO_IR 192"
            dataset.PatientBirthDate, dataset.DeviceSerialNumber = f"194402{PATIENTS.index(which)}9", f"Serial{which}"
        save(images, tmp_path / "in" / which)
    intake = index_input(tmp_path / "in", None, IndexOptions(ReadOptions(parts=tmp_path / "parts")))
    write_index(intake, tmp_path / "out")
    assert len(intake.studies) == len(PATIENTS)
    names = [name for name in intake.memory.column_names if name.startswith("same_")]
    numbers = {value for name in names for value in intake.memory[name].to_pylist()}
    assert numbers <= {None, 1, 2}
    told = "".join(str(value) for value in intake.memory.to_pylist())
    written = [path.read_bytes() for path in tmp_path.rglob("*.parquet")]
    for secret in ("eheim", "stermann", "194402", "Serial"):
        assert secret.lower() not in told.lower()
        assert not any(secret.encode() in content for content in written)
