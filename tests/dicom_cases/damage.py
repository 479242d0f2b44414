"""Cases of what is missing or wrong in files: positions, pixels, identifiers, text."""

from pathlib import Path
from typing import Final

from dicom_series import make_series, save
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from dicom_cases import files
from dicom_cases.truth import Truth, case, true_stack, without

MISSING: Final = "position or pixels missing"
TEXT: Final = "identifiers and text"


@case(MISSING, "no position")
def no_position(folder: Path) -> Truth:
    return _without_element(folder, "ImagePositionPatient")


@case(MISSING, "no orientation")
def no_orientation(folder: Path) -> Truth:
    return _without_element(folder, "ImageOrientationPatient")


@case(MISSING, "no pixel spacing")
def no_spacing(folder: Path) -> Truth:
    return _without_element(folder, "PixelSpacing")


def _without_element(folder: Path, keyword: str) -> Truth:
    series = make_series()
    for dataset in series:
        delattr(dataset, keyword)
    save(series, folder)
    return Truth(true_stack(), refusal="no_geometry")


@case(MISSING, "pixels of one file cut short")
def cut_pixels(folder: Path) -> Truth:
    path = save(make_series(), folder)[3]
    path.write_bytes(path.read_bytes()[:-100])
    return Truth(without(true_stack(), 3), refusal="bad_pixels")


@case(MISSING, "pixels of the last file cut short")
def cut_last_pixels(folder: Path) -> Truth:
    path = save(make_series(), folder)[6]
    path.write_bytes(path.read_bytes()[:-1500])
    return Truth(without(true_stack(), 6), refusal="bad_pixels")


@case(MISSING, "compressed pixels of one file cut short")
def cut_compressed_pixels(folder: Path) -> Truth:
    path = files.compressed_files(folder, RLELossless)[3]
    path.write_bytes(path.read_bytes()[:-1000])
    return Truth(without(true_stack(), 3), refusal="bad_pixels")


@case(MISSING, "deflated, the last file cut short")
def cut_deflated(folder: Path) -> Truth:
    path = files.deflated_files(folder)[6]
    path.write_bytes(path.read_bytes()[:-1000])
    return Truth(without(true_stack(), 6), flags=("unreadable_files",))


def _enter_cut_frames() -> None:
    """Pictures that end early inside of a whole file."""
    syntaxes = {
        "RLE": RLELossless,
        "JPEG-LS": JPEGLSLossless,
        "JPEG 2000": JPEG2000Lossless,
        "JPEG lossless": JPEGLosslessSV1,
    }
    for name, syntax in syntaxes.items():

        @case(MISSING, f"{name}, one picture cut short within its file")
        def cut_frame(folder: Path, syntax: UID = syntax) -> Truth:
            path = files.compressed_files(folder, syntax)[3]
            dataset = dcmread(path)
            frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
            dataset.PixelData = encapsulate([frame[: len(frame) * 9 // 10]])
            dataset.save_as(path)
            return Truth(without(true_stack(), 3), refusal="bad_pixels")


_enter_cut_frames()


@case(MISSING, "header of an end slice cut short")
def cut_header(folder: Path) -> Truth:
    path = save(make_series(), folder)[6]
    path.write_bytes(path.read_bytes()[:400])
    return Truth(without(true_stack(), 6), flags=("unreadable_files",))


@case(MISSING, "header of a middle slice cut short")
def cut_middle_header(folder: Path) -> Truth:
    path = save(make_series(), folder)[3]
    path.write_bytes(path.read_bytes()[:400])
    return Truth(without(true_stack(), 3), refusal="slice_gap")


@case(MISSING, "all pixels zero")
def blank(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.PixelData = bytes(len(dataset.PixelData))
    save(series, folder)
    return Truth(without(true_stack(), *range(7)), refusal="blank_image")


@case(TEXT, "UIDs with leading zeros")
def illegal_uids(folder: Path) -> Truth:
    series = make_series(series="1.2.840.099.01", study="1.2.840.099.007.1")
    save(series, folder)
    return Truth(true_stack())


@case(TEXT, "no SeriesDescription, a ProtocolName")
def protocol_alone(folder: Path) -> Truth:
    series = make_series(name=None)
    for dataset in series:
        dataset.ProtocolName = "LGE_SAX_PSIR"
    save(series, folder)
    return Truth(true_stack())


@case(TEXT, "no SeriesDescription, no ProtocolName")
def no_name(folder: Path) -> Truth:
    series = make_series(name=None)
    for dataset in series:
        dataset.InversionTime = 300
    save(series, folder)
    return Truth(true_stack(), rules=("view_by_direction",), flags=("lge_by_header",))


@case(TEXT, "private junk")
def private_junk(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.add_new(0x00190010, "LO", "PRIVATE JUNK")
        dataset.add_new(0x00191001, "OB", b"\x00\xff\x01\x02" * 400)
        dataset.add_new(0x00291010, "UN", b"\xfe\xff\x00\xe0\xff\xff\xff\xff")  # looks like the start of an item
        dataset.add_new(0x7FE10010, "LO", "AFTER THE PIXELS")
    save(series, folder)
    return Truth(true_stack())


@case(TEXT, "UTF-8 names")
def unicode_names(folder: Path) -> Truth:
    return _in_character_set(folder, "ISO_IR 192", "Ünïcödé^Pérsön=山田^太郎")


@case(TEXT, "Japanese names with escapes")
def japanese_names(folder: Path) -> Truth:
    return _in_character_set(folder, ["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎")


@case(TEXT, "a character set that does not exist, and bytes outside of it")
def unknown_character_set(folder: Path) -> Truth:
    for path in save(make_series(), folder):
        content = path.read_bytes()
        place = content.index(b"\x08\x00\x08\x00CS")
        character_set = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 999"
        content = content[:place] + character_set + content[place:]
        path.write_bytes(content.replace(b"Secret^Person", b"S\xe9\xffret^Person"))
    return Truth(true_stack())


def _in_character_set(folder: Path, name: str | list[str], patient: str) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.SpecificCharacterSet = name
        dataset.PatientName = patient
        dataset.OperatorsName = patient
    save(series, folder)
    return Truth(true_stack())
