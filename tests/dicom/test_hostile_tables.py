"""Tables and images made to hurt: memories of the index, samplesheets, batch files, NIfTI."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile_files import watched
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import corpus
from scarnet_cli.dicom.batch import read_batch
from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.errors import GeometryError, InputError
from scarnet_cli.image.volume import Volume, read_nifti, write_nifti
from scarnet_cli.index.files.cache import HELD, SCHEMA, read_cache, write_cache
from scarnet_cli.index.files.recall import recall
from scarnet_cli.index.samplesheet import read_samplesheet

(MEMORY,) = corpus.caches()


def remembered(path: Path) -> int:
    """Read a memory, use it, and return its rows."""
    with watched():
        memory = read_cache([path])
        assert memory.schema == HELD
        recall(memory, [FoundFile("a.dcm", None, 1, 2)])
        write_cache(memory, path.with_suffix(".again"))
    return len(memory)


def test_a_memory_is_read(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(MEMORY)
    assert remembered(tmp_path / "m") == 6


@pytest.mark.parametrize("column", ["key", "kind", "size", "mtime_ns", "members"])
def test_a_memory_with_holes_is_as_good_as_none(column: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(MEMORY)
    table = pq.read_table(tmp_path / "m")
    place = table.schema.get_field_index(column)
    holes = pa.nulls(len(table), SCHEMA.field(column).type)
    pq.write_table(table.set_column(place, SCHEMA.field(column), holes), tmp_path / "m")
    assert remembered(tmp_path / "m") == 0


def test_a_memory_of_more_members_than_an_archive_has_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(MEMORY)
    table = pq.read_table(tmp_path / "m")
    place = table.schema.get_field_index("members")
    many = pa.array([1 << 40] * len(table), pa.int64())
    pq.write_table(table.set_column(place, SCHEMA.field("members"), many), tmp_path / "m")
    assert remembered(tmp_path / "m") == 0


def test_a_memory_that_inflates_without_end_is_as_good_as_none(tmp_path: Path) -> None:
    rows = pa.table([pa.nulls(1_000_000, field.type) for field in SCHEMA], schema=SCHEMA)
    pq.write_table(rows, tmp_path / "m", compression="zstd")
    assert (tmp_path / "m").stat().st_size < 1_000_000
    assert remembered(tmp_path / "m") == 0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(flips=st.lists(st.tuples(st.integers(0, len(MEMORY) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_memory_is_read_or_as_good_as_none(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(MEMORY)
    for place, value in flips:
        content[place] = value
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    path.write_bytes(content)
    remembered(path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 100, b"\xff\xfe", b"study,dicom\n", b'study,dicom\n"', b"study,dicom\na,x\0y\n"),
        *(b"study,dicom\na," + b"x" * 5000, b"study,dicom,reference\na,.," + b"x" * 5000),
        *(b"study,dicom\na," + b"x" * 200_000, b"study,dicom\n" + b"a," * 9000 + b"\n", b"study,dicom\na,\xff\n"),
    ],
)
def test_a_samplesheet_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_samplesheet(tmp_path / "s.csv")
    assert refused.value.code == "bad_samplesheet"


def batch_with(**changes: object) -> bytes:
    (content,) = corpus.batches()
    batch = json.loads(content)
    batch["studies"][0] |= changes
    return json.dumps(batch).encode()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"null", b"[" * 100_000, b"\xff", b'{"batch": 1, "root": 2, "studies": 3}'),
        *(b'{"batch": "b", "root": ".", "studies": [1]}', b'{"batch": "b", "root": ".", "studies": [{}]}'),
        *(batch_with(study_id="../../etc"), batch_with(study_id=7)),
    ],
)
def test_a_batch_file_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_batch(tmp_path / "b.json")
    assert refused.value.code == "bad_batch"


def nifti_of(*dimensions: int, bits: int = 16) -> bytes:
    """Return the header of a NIfTI-1 file of any size, and nothing after it."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(dimensions), *dimensions, *[1] * (7 - len(dimensions)))
    struct.pack_into("<hh", header, 70, 4, bits)
    struct.pack_into("<8f", header, 76, *[1.0] * 8)
    struct.pack_into("<f", header, 108, 352.0)
    header[344:348] = b"n+1\0"
    return bytes(header)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (nifti_of(32_767, 32_767, 32_767), "not_a_volume"),
        (nifti_of(2000, 2000, 2000), "not_a_volume"),
        (nifti_of(-5, 4, 3), "not_a_volume"),
        (nifti_of(500, 500, 500), "unreadable_image"),
        (nifti_of(4, 4, 4) + bytes(127), "unreadable_image"),
        (nifti_of(4, 4, 4)[:100], "unreadable_image"),
        (b"", "unreadable_image"),
        (b"\x1f\x8b" + b"x" * 50, "unreadable_image"),
        (gzip.compress(nifti_of(9000, 9000, 9000) + bytes(4096)), "not_a_volume"),
        (corpus.slice_bytes("explicit"), "unreadable_image"),
        (b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n" + bytes(400), "unreadable_image"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_file_that_is_none_is_refused(content: bytes, code: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"image{suffix}"
    path.write_bytes(content)
    with watched(), pytest.raises(GeometryError) as refused:
        read_nifti(path)
    assert refused.value.code == code


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_valid_nifti_file_is_read(suffix: str, tmp_path: Path) -> None:
    volume = Volume(np.arange(24.0).reshape(2, 3, 4), (8.0, 1.5, 1.25), (1.0, 2.0, 3.0), np.eye(3))
    write_nifti(volume, tmp_path / f"image{suffix}")
    assert np.array_equal(read_nifti(tmp_path / f"image{suffix}").array, volume.array)
