import pytest
from jars import locked_coordinates
from nextflow import read_digests
from setup import CHECKER, ROOT, RUNNER


def test_the_coordinates_of_a_lock_are_read() -> None:
    assert locked_coordinates("aa  org.example:a:1.0\nbb  org.example:b:2.0\n\n") == [
        "org.example:a:1.0",
        "org.example:b:2.0",
    ]


@pytest.mark.parametrize("version", [RUNNER, CHECKER])
def test_the_lock_of_each_nextflow_holds_what_is_asked_for_with_whole_digests(version: str) -> None:
    lock = (ROOT / f"requirements/nextflow-{version}.jars").read_text()
    wanted = (ROOT / f"requirements/nextflow-{version}.in").read_text().splitlines()
    assert {line for line in wanted if line[0] not in "#!"} <= set(locked_coordinates(lock))
    digests = read_digests(lock)
    assert len(digests) == len(lock.splitlines())
    assert all(len(bytes.fromhex(digest)) == 32 for digest in digests.values())
