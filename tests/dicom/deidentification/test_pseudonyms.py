"""Pseudonyms follow from the key and from nothing else."""

import subprocess
from pathlib import Path

import pytest
from pydicom.uid import UID, MRImageStorage

from scarnet_cli.dicom.deidentification.pseudonyms import MAKE_A_KEY, MOST_DAYS, Pseudonyms, read_pseudonyms
from scarnet_cli.errors import InputError

KEYED = Pseudonyms(b"k" * 32)


def test_a_key_gives_the_same_pseudonyms_always_and_another_gives_others() -> None:
    # `openssl dgst -sha256 -hmac KEY` of "patient", a zero byte and "MRN-1" begins so
    assert KEYED.patient("MRN-1") == "50c9d0b80cbf07d1"
    assert KEYED.patient("MRN-1") == Pseudonyms(b"k" * 32).patient("MRN-1")
    assert KEYED.patient("MRN-1") != Pseudonyms(b"l" * 32).patient("MRN-1")
    assert len({KEYED.study("1"), KEYED.patient("1"), KEYED.study("2")}) == 3


def test_uids_are_valid_and_those_of_the_standard_stay() -> None:
    uids = [KEYED.uid(f"1.2.3.{n}") for n in range(200)]
    assert len(set(uids)) == 200
    assert all(UID(uid).is_valid and uid.startswith("2.25.") for uid in uids)
    assert KEYED.uid(MRImageStorage) == MRImageStorage
    assert KEYED.uid("1.2.840.10008.44402291").startswith("2.25.")


def test_days_go_back_by_one_at_least_and_ten_years_at_most() -> None:
    days = {KEYED.days_earlier(str(n)) for n in range(2000)}
    assert min(days) >= 1
    assert max(days) <= MOST_DAYS
    assert len(days) > 1000


def test_the_key_is_in_no_text_of_them() -> None:
    assert "k" * 8 not in f"{KEYED!r} {KEYED}"


def test_a_key_made_as_we_say_is_read(tmp_path: Path) -> None:
    subprocess.run(["bash", "-c", MAKE_A_KEY.replace("FILE", "key")], cwd=tmp_path, check=True)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    first = read_pseudonyms(tmp_path / "key")
    (tmp_path / "copy").write_bytes((tmp_path / "key").read_bytes().strip() + b"\r\n")
    assert read_pseudonyms(tmp_path / "copy") == first


def test_a_key_that_could_be_guessed_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("secret\n")
    with pytest.raises(InputError, match="has 6 bytes; at least 32"):
        read_pseudonyms(tmp_path / "short")
    with pytest.raises(InputError, match="cannot be read"):
        read_pseudonyms(tmp_path / "gone")
