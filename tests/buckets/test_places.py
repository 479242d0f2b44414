"""Addresses of objects, and how many requests reading one takes."""

import io
from pathlib import Path

import pyarrow as pa
import pytest

from scarnet_cli.buckets.connection import connect
from scarnet_cli.buckets.object_path import ObjectPath
from scarnet_cli.buckets.object_stream import FEW, MANY, ObjectStream
from scarnet_cli.buckets.place import located, place_of
from scarnet_cli.errors import InputError


def test_an_address_names_an_object_and_any_other_text_a_path() -> None:
    assert place_of("S3://b/x y/1.dcm/") == ObjectPath("s3", "b/x y/1.dcm")
    assert place_of("/data/s3:/b") == Path("/data/s3:/b")
    assert str(place_of("gs://b") / "x" / "y.dcm") == "gs://b/x/y.dcm"
    assert located(place_of("az://b/in"), "p/1.dcm") == place_of("az://b/in/p/1.dcm")
    assert located(Path("/data"), "s3://b/1.dcm") == place_of("s3://b/1.dcm")
    assert located(Path("/data"), "/other/1.dcm") == Path("/other/1.dcm")
    place = place_of("s3://b/x/IM.1.dcm")
    assert isinstance(place, ObjectPath)
    assert (place.bucket, place.name, place.suffix, str(place.parent)) == ("b", "IM.1.dcm", ".dcm", "s3://b/x")
    assert place.parent.parent == place.parent.parent.parent == ObjectPath("s3", "b")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("ftp://host/in", "unknown_scheme"),
        ("https://host/in", "unknown_scheme"),
        ("s3://KEY:SECRET@bucket/in", "login_in_address"),
        ("s3://", "bad_address"),
        ("s3://bucket//in", "bad_address"),
    ],
)
def test_other_addresses_are_refused_without_showing_a_login(address: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        place_of(address)
    assert caught.value.code == code
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8333", "http://K:S@127.0.0.1:8333", "ftp://host", "http://host/path"])
def test_an_endpoint_that_is_no_server_is_refused(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(InputError, match="must look like https://HOST:PORT"):
        connect.__wrapped__("s3", "bucket")


class Counted(io.BytesIO):
    """A file that keeps where it was read."""

    def __init__(self, size: int) -> None:
        super().__init__(bytes(range(256)) * (size // 256))
        self.ranges: list[tuple[int, int]] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.ranges.append((self.tell(), size or 0))
        return super().read(size)


def opened(file: Counted, first: int) -> io.BufferedReader:
    return io.BufferedReader(ObjectStream(pa.PythonFile(file, mode="r"), "s3", "bucket", first))


def test_the_header_of_an_object_takes_one_short_request_and_a_slice_one() -> None:
    header, whole = Counted(512 << 10), Counted(512 << 10)
    stream = opened(header, FEW)
    assert (stream.read(8192), stream.read(100)) == (header.getvalue()[:8192], header.getvalue()[8192:8292])
    assert header.ranges == [(0, FEW)]
    stream = opened(whole, MANY)
    assert stream.read(132) == whole.getvalue()[:132]
    stream.seek(0)
    assert stream.read() == whole.getvalue()
    assert whole.ranges == [(0, 512 << 10)]


def test_an_archive_read_in_sequence_takes_larger_and_larger_requests_and_a_jump_a_short_one() -> None:
    archive = Counted(64 << 20)
    stream = opened(archive, MANY)
    while stream.read(32 << 10) and stream.tell() < 40 << 20:
        pass
    assert [size >> 20 for _, size in archive.ranges] == [1, 2, 4, 8, 8, 8, 8, 8]
    stream.seek(-22, io.SEEK_END)
    assert stream.read() == archive.getvalue()[-22:]
    stream.seek(5 << 20)
    assert stream.read(10) == archive.getvalue()[5 << 20 : (5 << 20) + 10]
    assert archive.ranges[-2:] == [((64 << 20) - 22, 22), (5 << 20, FEW)]
