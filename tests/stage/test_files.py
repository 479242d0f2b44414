from pathlib import Path

import pytest

from scarnet_cli.files import share_file


def test_a_shared_file_has_two_names_and_a_rewritten_source_leaves_the_other_alone(tmp_path: Path) -> None:
    source, shared = tmp_path / "overlay.png", tmp_path / "report" / "a.png"
    source.write_bytes(b"picture")
    share_file(source, shared)
    assert shared.samefile(source)
    source.unlink()
    source.write_bytes(b"another")
    assert shared.read_bytes() == b"picture"


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system, /dev/shm")
def test_on_another_file_system_it_is_a_copy(tmp_path: Path) -> None:
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm and the temporary folder are one file system")
    source = tmp_path / "overlay.png"
    source.write_bytes(b"picture")
    shared = Path("/dev/shm") / f"scarnet-{tmp_path.name}-{tmp_path.parent.name}.png"
    try:
        share_file(source, shared)
        assert shared.read_bytes() == b"picture"
        assert not shared.samefile(source)
    finally:
        shared.unlink(missing_ok=True)
