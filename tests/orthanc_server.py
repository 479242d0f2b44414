"""A real Orthanc with its DICOMweb plug-in, on loopback and a free port, with its storage in a test's own folder."""

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from debian import ORTHANC

PLUGIN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER: Final = "reader"
PASSWORD: Final = "open-sesame-4711"
_PATIENCE_S: Final = 60
_SLOW: Final = """
function IncomingHttpRequestFilter(method, uri, ip, username, httpHeaders)
  if method == 'GET' and string.find(uri, '/instances/') then os.execute('sleep 0.15') end
  return true
end
"""


@dataclass(slots=True)
class Orthanc:
    """A server that is started and stopped at will, on the same port, and keeps what it was given.

    Attributes:
        folder: Its configuration, storage and log.
        port: Its port.
        slow: It takes its time over each image, so that it can be caught half way.
    """

    folder: Path
    port: int
    slow: bool = False
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def address(self) -> str:
        """What `--input` is given."""
        return f"dicomweb+http://127.0.0.1:{self.port}/dicom-web"

    @property
    def login(self) -> Mapping[str, str]:
        """Variables of the environment that let a client in."""
        return {"SCARNET_PACS_USER": USER, "SCARNET_PACS_PASSWORD": PASSWORD}

    def start(self) -> None:
        """Start it and wait until it answers."""
        configuration: dict[str, object] = {
            "Name": "test",
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "Plugins": [str(PLUGIN)],
            "HttpPort": self.port,
            "HttpServerEnabled": True,
            "DicomServerEnabled": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.slow:
            script = self.folder / "slow.lua"
            script.write_text(_SLOW)
            configuration["LuaScripts"] = [str(script)]
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [ORTHANC.find() or "Orthanc", "--verbose", path], stdout=log, stderr=log, cwd=self.folder
            )
        until = time.monotonic() + _PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                message = "Orthanc does not start:\n" + (self.folder / "log.txt").read_text(errors="replace")[-3000:]
                raise AssertionError(message)
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/system", timeout=5):
                return True
        except urllib.error.HTTPError as error:
            return error.code == 401  # it asks who is there
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def kill_after_images(self, count: int) -> threading.Thread:
        """Kill it when it was asked for so many images more, from the thread that is returned: join it afterwards."""
        before = self._images()

        def wait_and_kill() -> None:
            while self._images() < before + count:
                time.sleep(0.02)
            self.kill()

        thread = threading.Thread(target=wait_and_kill, daemon=True)
        thread.start()
        return thread

    def _images(self) -> int:
        return sum("/instances/" in path for path in self.requests())

    def requests(self, method: str = "GET") -> list[str]:
        """Return the paths that clients asked for so far, from its log."""
        lines = (self.folder / "log.txt").read_text(errors="replace").splitlines()
        return [line.split(f"(http) {method} ")[-1].strip() for line in lines if f"(http) {method} " in line]


@contextmanager
def orthanc_in(folder: Path, *, slow: bool = False) -> Iterator[Orthanc]:
    """Start a server in a folder and stop it in the end; the test is skipped where Orthanc is not installed."""
    if ORTHANC.find() is None or not PLUGIN.is_file():
        pytest.skip("Orthanc with its DICOMweb plug-in is not here; on Debian: apt install orthanc orthanc-dicomweb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Orthanc(folder, port, slow)
    try:
        server.start()
        yield server
    finally:
        server.kill()
