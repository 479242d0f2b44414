"""Recognise archives, compressed files and NIfTI, mostly by their first bytes."""

import re
import tarfile
from typing import Final

# Forms of a file that is not plain DICOM.
ZIP: Final = "zip"
TAR: Final = "tar"
PACKED: Final = "packed"  # one file, compressed by gzip, bzip2, xz or lzma
NIFTI: Final = "nifti"
UNKNOWN_ARCHIVE: Final = "unknown_archive"  # may hold images, but the pipeline cannot open it
OTHER: Final = "other"

# This many bytes are enough to recognise every form: a disk image has its signature after 16 sectors.
START: Final = (16 << 11) + 6
GZIP: Final = b"\x1f\x8b\x08"
XZ: Final = b"\xfd7zXZ\0"
LZMA: Final = b"]\0\0"  # weak: other files may begin with it
_IS_BZIP2: Final = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)").match
_ZIPS: Final = (b"PK\x03\x04", b"PK\x07\x08PK", b"PK00PK")  # a single file; the first or only part of a split archive
_UNKNOWN: Final = (
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"\x1f\x9d",  # compress, .Z
    b"\x1f\xa0",
    b"LZIP",
    b"\x89LZO",
    b"MSCF",  # Windows cabinet
    b"MSWIM\0\0\0",
    b"070701",  # cpio
    b"070702",
    b"070707",
    b"!<arch>\n",
    b"xar!",
    b"ALZ\x01",
    b"EGGA",
    b"hsqs",  # squashfs
    b"conectix",  # virtual machine disks
    b"vhdxfile",
    b"KDMV",
    b"QFI\xfb",
)
_INSIDE: Final = ((2, b"-lh"), (7, b"**ACE**"), (32769, b"CD001"), (32769, b"BEA01"), (32769, b"NSR0"))
# Formats without a signature at the start, and the later parts of a split archive.
_is_unknown_name: Final = re.compile(
    r".*\.(dmg|arj|[zr]\d\d|(zip|7z|rar|tar|tgz|gz|bz2|xz)\.\d{2,3})", re.IGNORECASE
).fullmatch
_is_packed_name: Final = re.compile(r"(.+)\.(gz|bz2|xz|lzma)", re.IGNORECASE).fullmatch
_is_checksum: Final = re.compile(rb"[0-7 ]{6}[\0 ]{1,2}|[0-7 ]{7}\0").match
_HEADER: Final = 512
_CHECKSUM: Final = slice(148, 156)
_NIFTI_1: Final = (348, 344, (b"n+1\0", b"ni1\0"))
_NIFTI_2: Final = (540, 4, (b"n+2\0", b"ni2\0"))


def form_of(start: bytes, name: str) -> str:
    """Return the form of a file that is not plain DICOM, from its name and its first `START` bytes (or all)."""
    if start.startswith((GZIP, XZ, LZMA)) or _IS_BZIP2(start):
        return PACKED
    if start.startswith(_ZIPS):
        return ZIP
    if _is_tar(start):
        return TAR
    if _is_nifti(start):
        return NIFTI
    inside = any(start.startswith(mark, offset) for offset, mark in _INSIDE)
    return UNKNOWN_ARCHIVE if inside or start.startswith(_UNKNOWN) or _is_unknown_name(name) else OTHER


def unpacked_name(name: str) -> str:
    """Return the name of the file inside a compressed one: IM.dcm for IM.dcm.gz."""
    found = _is_packed_name(name)
    return found[1] if found else name


def _is_tar(start: bytes) -> bool:
    if not _is_checksum(start[_CHECKSUM]):
        return False
    try:
        tarfile.TarInfo.frombuf(start[:_HEADER], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError, ArithmeticError):
        return False
    return True


def _is_nifti(start: bytes) -> bool:
    for size, offset, marks in (_NIFTI_1, _NIFTI_2):
        if start[offset : offset + 4] in marks:
            return start[:4] in (size.to_bytes(4, "little"), size.to_bytes(4, "big"))
    return False
