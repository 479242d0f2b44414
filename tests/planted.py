"""Plants what must not come out, in every place that a study has, and looks for it in every file that came out.

Each planted text begins with `TOKEN` and says where it was: a hit tells where it came from.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

TOKEN = "ZQPHI"
BIRTH, DAY = "19440229", "19870605"
NUMBER = 44402291
# Of each VR a standard attribute that a scanner or a person may fill.
STANDARD = {
    "AE": "ScheduledStationAETitle",
    "AS": "PatientAge",
    "CS": "BodyPartExamined",
    "DA": "ScheduledProcedureStepStartDate",
    "DS": "PatientWeight",
    "DT": "ScheduledProcedureStepStartDateTime",
    "IS": "ReferencedFrameNumber",
    "LO": "InstitutionName",
    "LT": "AdditionalPatientHistory",
    "PN": "ReferringPhysicianName",
    "SH": "StationName",
    "ST": "InstitutionAddress",
    "TM": "PatientBirthTime",
    "UC": "LongCodeValue",
    "UI": "IrradiationEventUID",
    "UR": "RetrieveURL",
    "UT": "TextValue",
}
COMMENTS = ("ImageComments", "PatientComments", "StudyComments", "DerivationDescription", "StudyDescription")
NAMES = ("AccessionNumber", "OperatorsName", "OtherPatientIDs", "PatientID", "PatientName", "StudyID")


def value_of(vr: str, place: str) -> Any:  # noqa: ANN401 (what its VR holds)
    """Return a recognisable value of a VR."""
    text = f"{TOKEN}_{vr}_{place}"
    if vr in ("OB", "OW", "OD", "OF", "OL", "OV", "UN"):
        return (text.encode() * 8)[:64]
    numbers = {"DS": str(NUMBER), "IS": str(NUMBER), "AT": Tag(0x44402291), "SS": 4440, "US": 4440, "AS": "044Y"}
    days = {"DA": DAY, "DT": f"{DAY}101500", "TM": "044402", "UI": f"1.2.{NUMBER}.{len(place)}"}
    known = numbers | days | dict.fromkeys(("FL", "FD", "SL", "UL", "SV", "UV"), NUMBER)
    return known.get(vr, text[:16])


VRS = (*STANDARD, "AT", "FL", "FD", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "UN", "US", "UV")


def plant(dataset: Dataset) -> None:
    """Plant in every VR, in private attributes, sequences, comments, overlays, file meta information and preamble.

    All but what tables show without de-identification: see `plant_shown`.
    """
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _plant_vrs(dataset, "TOP")
    for keyword in (*COMMENTS, *NAMES):
        setattr(dataset, keyword, f"{TOKEN}-{keyword}"[:16])
    dataset.PatientName = f"{TOKEN}^Jürgen"
    dataset.PatientBirthDate, dataset.SeriesDate, dataset.AcquisitionDate = BIRTH, DAY, DAY
    dataset.add_new(0x60000022, "LO", f"{TOKEN}-overlay")
    dataset.add_new(0x60003000, "OW", f"{TOKEN}-overlay-data".encode().ljust(64))
    deep = Dataset()
    _plant_vrs(deep, "DEEP")
    for _ in range(4):
        outer = Dataset()
        outer.RequestAttributesSequence = [deep]
        deep = outer
    dataset.ReferencedStudySequence = [deep]
    dataset.preamble = f"{TOKEN}-preamble".encode().ljust(128, b"\0")  # written where there is one
    dataset.file_meta.SourceApplicationEntityTitle = f"{TOKEN}-meta"
    dataset.file_meta.PrivateInformationCreatorUID = UID(f"1.2.{NUMBER}")
    dataset.file_meta.PrivateInformation = f"{TOKEN}-meta-info".encode().ljust(32)


def plant_shown(dataset: Dataset) -> None:
    """Plant in what tables show as it is, behind what is there."""
    dataset.SeriesDescription = f"{dataset.SeriesDescription} {TOKEN}^{BIRTH}"
    dataset.ProtocolName, dataset.Manufacturer = f"{TOKEN}-protocol", f"{dataset.Manufacturer} {TOKEN}"
    dataset.StudyDate, dataset.ManufacturerModelName = DAY, f"Aera {TOKEN}"
    dataset.SequenceName, dataset.ContrastBolusAgent = f"{TOKEN}_16", f"Gadovist {TOKEN}"


def _plant_vrs(dataset: Dataset, place: str) -> None:
    for vr, keyword in STANDARD.items():
        setattr(dataset, keyword, value_of(vr, place))
    block = dataset.private_block(0x0019, f"{TOKEN}-maker", create=True)
    for offset, vr in enumerate(VRS, start=1):
        block.add_new(offset, vr, value_of(vr, place))
    item = Dataset()
    item.PatientName = f"{TOKEN}^in^private"
    block.add_new(0x80, "SQ", [item])


def secrets_of(datasets: Iterable[Dataset]) -> list[bytes]:
    """Return what must not come out: the token, dates, numbers, and the UIDs of these data sets."""
    keywords = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
    uids = {str(dataset[keyword].value) for dataset in datasets for keyword in keywords}
    return [text.lower().encode() for text in (TOKEN, BIRTH, DAY, str(NUMBER), *sorted(uids))]


def holders(paths: Iterable[Path], secrets: Sequence[bytes]) -> dict[str, list[bytes]]:
    """Return the files that hold a secret in their name or content, packed or not; case does not matter."""
    found = {}
    for path in paths:
        content = b"\0".join((str(path).encode(), *_contents(path))).lower()
        hits = [secret for secret in secrets if secret in content]
        if hits:
            found[str(path)] = hits
    return found


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        yield f"{table.schema.metadata}{table.to_pylist()}".encode("utf-8", "replace")
    elif path.suffix == ".png":
        with Image.open(path) as picture:
            yield str(picture.info).encode()
