"""Make pseudonyms by a keyed hash: the same key gives the same pseudonyms in every run and at every site.

A plain hash of a PatientID or a UID would be unsafe: anyone who guesses the PatientID could compute the hash.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from scarnet_cli.errors import InputError

KEY_BYTES: Final = 32
# A command that makes a key that only its owner can ever read.
MAKE_A_KEY: Final = "(umask 077; head -c 32 /dev/urandom | base64 > FILE)"
# Dates move back by up to ten years, so that even the year is hidden.
MOST_DAYS: Final = 3652
# Few people are older, so a higher age could identify the patient; it becomes one year more.
OLDEST_YEARS: Final = 89
_ID_DIGITS: Final = 16
# The root of UIDs made from 128 bits, PS3.5 B.2.
_UID_ROOT: Final = "2.25."
_UID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Pseudonyms for identifiers by HMAC-SHA256, with a separate namespace for each kind of identifier.

    Attributes:
        key: The de-identification key.
    """

    key: bytes = field(repr=False)

    def study(self, study_id: str) -> str:
        """Return the pseudonym of a study's id, 16 hex digits."""
        return self._digest("study", study_id).hex()[:_ID_DIGITS]

    def patient(self, patient_id: str) -> str:
        """Return the pseudonym of a PatientID or samplesheet label, 16 hex digits; outer blanks are ignored."""
        return self._digest("patient", patient_id.strip()).hex()[:_ID_DIGITS]

    def uid(self, uid: str) -> str:
        """Return the pseudonym of a UID, 2.25.<128 bits>; UIDs that DICOM defines (classes, encodings) stay."""
        from pydicom.uid import UID  # noqa: PLC0415 (takes most of a second, needless without pseudonyms)

        if UID(uid).name != uid:  # the standard defines it
            return uid
        return f"{_UID_ROOT}{int.from_bytes(self._digest('uid', uid)[:_UID_BYTES])}"

    def days_earlier(self, patient_id: str) -> int:
        """Return by how many days to move a patient's dates back: 1 to `MOST_DAYS`, the same for all their studies."""
        return 1 + int.from_bytes(self._digest("days", patient_id.strip())) % MOST_DAYS

    def earlier(self, day: str, patient_id: str) -> str | None:
        """Return a patient's date (YYYYMMDD) moved back by `days_earlier`; None if it is not a date."""
        try:
            moved = date.fromisoformat(day.replace(".", "")) - timedelta(days=self.days_earlier(patient_id))
        except (ValueError, OverflowError):
            return None
        return moved.strftime("%Y%m%d")

    def _digest(self, room: str, text: str) -> bytes:
        message = f"{room}\0{text}".encode("utf-8", "surrogateescape")
        return hmac.digest(self.key, message, hashlib.sha256)


def read_pseudonyms(path: Path) -> Pseudonyms:
    """Read the de-identification key from a file, without surrounding white space.

    Raises:
        InputError: The file cannot be read, or the key is too short. The message does not contain the key.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        message = f"The key for --deidentify cannot be read ({error.strerror}); name a file that you can read."
        raise InputError("bad_key", message) from error
    if len(key) < KEY_BYTES:
        message = (
            f"The key for --deidentify has {len(key)} bytes; at least {KEY_BYTES} are needed, or it could be guessed. "
            f"Make one with {MAKE_A_KEY}."
        )
        raise InputError("bad_key", message)
    return Pseudonyms(key)
