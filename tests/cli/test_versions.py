import json
import platform

from click.testing import CliRunner

from scarnet_cli import __version__
from scarnet_cli.cli.versions import PACKAGES, versions


def test_versions_names_every_package_that_numbers_depend_on() -> None:
    found = json.loads(CliRunner().invoke(versions).stdout)
    assert list(found) == ["scarnet", "python", *PACKAGES]
    assert (found["scarnet"], found["python"]) == (__version__, platform.python_version())
    assert found["numpy"].split(".")[0].isdigit()
