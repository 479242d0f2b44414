"""Pseudonyms by a keyed hash: the same key gives the same ones in every run and at every site, and nobody else can.

A plain hash of a patient's number or of a UID would not do: whoever guesses the number can compute it too.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scarnet_cli.errors import InputError

KEY_BYTES: Final = 32
# How to make a key: readable by its owner alone from the first byte on.
MAKE_A_KEY: Final = "(umask 077; head -c 32 /dev/urandom | base64 > FILE)"
# Dates go back by up to ten years, so that not even the year stays.
MOST_DAYS: Final = 3652
_ID_DIGITS: Final = 16
# The root for UIDs made of 128 bits, PS3.5 B.2.
_UID_ROOT: Final = "2.25."
_UID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Replaces what identifies by HMAC-SHA256 of it, in a room of its own for each kind of thing.

    Attributes:
        key: The secret.
    """

    key: bytes = field(repr=False)

    def study(self, study_id: str) -> str:
        """Return 16 hex digits for a study's id."""
        return self._digest("study", study_id).hex()[:_ID_DIGITS]

    def patient(self, patient_id: str) -> str:
        """Return 16 hex digits for a PatientID, or for a samplesheet's label of a patient; blanks round it go."""
        return self._digest("patient", patient_id.strip()).hex()[:_ID_DIGITS]

    def uid(self, uid: str) -> str:
        """Return 2.25.<128 bits> for a UID; those that DICOM itself defines (classes, encodings) stay."""
        from pydicom.uid import UID  # noqa: PLC0415 (most of a second, which an index without pseudonyms need not wait)

        if UID(uid).name != uid:  # it is in the standard's own list
            return uid
        return f"{_UID_ROOT}{int.from_bytes(self._digest('uid', uid)[:_UID_BYTES])}"

    def days_earlier(self, patient_id: str) -> int:
        """Return by how many days a patient's dates go back: 1 to `MOST_DAYS`, the same for all of their studies."""
        return 1 + int.from_bytes(self._digest("days", patient_id.strip())) % MOST_DAYS

    def _digest(self, room: str, text: str) -> bytes:
        message = f"{room}\0{text}".encode("utf-8", "surrogateescape")
        return hmac.digest(self.key, message, hashlib.sha256)


def read_pseudonyms(path: Path) -> Pseudonyms:
    """Read the key from a file; blanks and line ends round it do not count.

    Raises:
        InputError: The file cannot be read, or holds too little to be a secret. The message does not hold the key.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        message = f"The key for --deidentify cannot be read ({error.strerror}); name a file that you may read."
        raise InputError("bad_key", message) from error
    if len(key) < KEY_BYTES:
        message = (
            f"The key for --deidentify has {len(key)} bytes; at least {KEY_BYTES} are needed, or it could be guessed. "
            f"Make one with {MAKE_A_KEY}."
        )
        raise InputError("bad_key", message)
    return Pseudonyms(key)
