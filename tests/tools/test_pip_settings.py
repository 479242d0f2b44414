import os
import subprocess
import sys
from pathlib import Path

from pip_settings import parse_settings, to_uv


def test_a_pip_variable_wins_over_an_install_section_and_that_over_a_global_one() -> None:
    listing = (
        ":env:.index-url='https://env.example/simple'\n"
        "global.index-url='https://global.example/simple'\n"
        "global.timeout='10'\n"
        "install.index-url='https://install.example/simple'\n"
        "install.timeout='20'\n"
    )
    assert parse_settings(listing) == {"index-url": "https://env.example/simple", "timeout": "20"}


def test_settings_of_other_pip_commands_are_left_out() -> None:
    assert parse_settings("list.format='columns'\nfreeze.timeout='10'\n") == {}


def test_every_way_of_naming_a_source_reaches_uv() -> None:
    settings = {
        "index-url": "https://a.example/simple",
        "extra-index-url": "https://b.example/simple\nhttps://c.example/simple",
        "find-links": "/wheels /more",
        "cert": "/ca.pem",
    }
    variables = to_uv(settings, own={}).environment
    assert variables["UV_DEFAULT_INDEX"] == "https://a.example/simple"
    assert variables["UV_INDEX"] == "https://b.example/simple https://c.example/simple"
    assert variables["UV_FIND_LINKS"] == "/wheels,/more"
    assert variables["SSL_CERT_FILE"] == variables["REQUESTS_CA_BUNDLE"] == "/ca.pem"


def test_a_variable_that_the_user_set_for_uv_wins_over_pip() -> None:
    own = {"UV_DEFAULT_INDEX": "https://uv.example/simple"}
    assert to_uv({"index-url": "https://pip.example/simple"}, own).environment == to_uv({}, own).environment


def test_without_certificates_of_its_own_uv_uses_those_of_the_system() -> None:
    assert to_uv({}, own={}).environment["UV_SYSTEM_CERTS"] == "true"
    assert "UV_SYSTEM_CERTS" not in to_uv({}, own={"SSL_CERT_FILE": "/ca.pem"}).environment


def test_no_index_becomes_an_option_and_its_false_words_do_not() -> None:
    assert to_uv({"no-index": "true"}, own={}).options == ("--no-index",)
    assert to_uv({"no-index": "false"}, own={}).options == ()


def test_a_real_pip_configuration_is_understood(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nextra-index-url =\n    https://a.example/simple\n    https://b.example\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = [sys.executable, "-m", "pip", "config", "list"]
    environment["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")
    listing = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert to_uv(parse_settings(listing), {}).environment["UV_INDEX"] == "https://a.example/simple https://b.example"
