"""Runs Nextflow for real, on phantoms small enough for two cores."""

import csv
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from scarnet_cli.cli.main import cli
from scarnet_cli.files import file_sha256

REPOSITORY = Path(__file__).parents[1]
BIN = REPOSITORY / ".venv" / "bin"
# A run takes about a minute; ten times as long means that it hangs.
PATIENCE_S = 900
# Where any network will do: the smaller of those that are shipped, a tenth of the work of the other in all its views.
SMALL_NETWORK = ("--weights", "unet", "--fast")
# Java 17 knows no archive that makes itself, and Java says of hundreds of classes that none holds them.
JAVA_OPTIONS = "-XX:+IgnoreUnrecognizedVMOptions -Xlog:disable -XX:+UseSerialGC"
TRACEBACKS = ("Traceback", "\tat ", "Exception")
# Process -> folder in its task directory, and what below that is published, as in conf/modules.config.
PUBLISHED = {
    "CONVERT": ("convert", "studies/*/image.nii.gz"),
    "QUANTIFY": ("quantify", "studies/*/*"),
    "EXPORT": ("export", "studies/*/*"),
    "GATHER": (".", "tables/*"),
    "REPORT": (".", "report/**/*"),
}


@dataclass(frozen=True, slots=True)
class Launch:
    """A folder to launch Nextflow in, with what the last run left behind."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "results"

    def command(self, *arguments: str, nextflow: str = "nextflow") -> list[str]:
        return [str(BIN / nextflow), "run", str(REPOSITORY / "main.nf"), "-ansi-log", "false", *arguments]

    def start(self, *arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env={**environment(), **(extra or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self, *arguments: str, nextflow: str = "nextflow", extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments, nextflow=nextflow),
            cwd=self.folder,
            env={**environment(nextflow), **(extra or {})},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def succeed(self, *arguments: str, nextflow: str = "nextflow", extra: Mapping[str, str] | None = None) -> str:
        done = self.run(*arguments, nextflow=nextflow, extra=extra)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def trace(self) -> list[dict[str, str]]:
        with (self.out / "pipeline_info" / "trace.txt").open(newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    def tasks(self, status: str) -> set[tuple[str, str]]:
        """Return (process, tag) of the last run's tasks that ended with this status."""
        names = [row["name"] for row in self.trace() if row["status"] == status]
        return {(name.split(" ")[0].split(":")[-1], name.split("(")[-1].rstrip(")")) for name in names}

    def attempts(self, process: str) -> list[dict[str, str]]:
        """Return the last run's tasks of a process, in the order in which they were submitted."""
        rows = (row for row in self.trace() if row["name"].split(" ")[0].endswith(process))
        return sorted(rows, key=lambda row: int(row["task_id"]))

    def wait_for_child(self, process: int, nextflow: subprocess.Popen[str]) -> int:
        """Return the first child of a process, as soon as there is one."""
        while nextflow.poll() is None:
            if children := Path(f"/proc/{process}/task/{process}/children").read_text().split():
                return int(children[0])
            time.sleep(0.02)
        message = f"process {process} had no child before Nextflow ended"
        raise AssertionError(message)

    def wait_for_task(self, command: str, nextflow: subprocess.Popen[str], *, argument: str = "") -> int:
        """Return the process of a task that runs `scarnet COMMAND` with this argument, as soon as there is one."""
        wanted = {word.encode() for word in ("scarnet_cli", command, argument) if word}
        while nextflow.poll() is None:
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    words = (process / "cmdline").read_bytes().split(b"\0")
                    place = (process / "cwd").resolve(strict=True)
                except OSError:  # gone meanwhile
                    continue
                if wanted <= set(words) and place.is_relative_to(self.folder.resolve()):
                    return int(process.name)
            time.sleep(0.02)
        message = f"no {command} task ran before Nextflow ended"
        raise AssertionError(message)

    def made(self) -> dict[str, str]:
        """Return path below OUT -> SHA-256 of all results that the tasks of the last run made, cached ones too."""
        files: dict[str, str] = {}
        for row in self.trace():
            process = row["name"].split(" ")[0].split(":")[-1]
            if process in PUBLISHED and row["status"] in ("COMPLETED", "CACHED"):
                (task,) = self.folder.glob(f"work/{row['hash']}*")
                root, pattern = PUBLISHED[process]
                files |= digests(task / root, pattern)
        return files

    def held(self) -> dict[str, str]:
        """Return path below OUT -> SHA-256 of all results that are there."""
        folders = [f"{name}/**/*" for name in ("tables", "studies", "report")]
        return {path: digest for pattern in folders for path, digest in digests(self.out, pattern).items()}

    def ids(self, table: str) -> list[str]:
        return pq.read_table(self.out / "tables" / f"{table}.parquet")["study_id"].to_pylist()

    def batch_of(self) -> dict[str, str]:
        """Return study -> batch, from the newest index."""
        newest = max(self.folder.glob("work/*/*/index/studies.parquet"), key=lambda path: path.stat().st_mtime_ns)
        rows = pq.read_table(newest).to_pylist()
        return {row["study_id"]: row["batch"] for row in rows if row["batch"] is not None}


def scarnet(*words: object) -> None:
    """Run a command, in this process, which has imported most of what it needs."""
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def digests(folder: Path, pattern: str) -> dict[str, str]:
    """Return path below the folder -> SHA-256 of the files that match."""
    files = (path for path in folder.glob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def environment(nextflow: str = "nextflow") -> dict[str, str]:
    """Return an environment without wishes for a parser or slow imports, and without an activated .venv.

    A task waits a second after a fault, not 20, and Java maps the classes that the first launch loaded and archived,
    which with the simplest collector saves 1 of 8 CPU seconds.
    """
    paths = [path for path in os.environ["PATH"].split(os.pathsep) if Path(path).resolve() != BIN.resolve()]
    left = ("NXF_SYNTAX_PARSER", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if key not in left}
    set_here = {"PATH": os.pathsep.join(paths), "SCARNET_FAULT_PAUSE_S": "1"}
    archive = str(BIN.parent / "nextflow" / f"{nextflow}.jsa")
    if len(archive.split()) == 1:  # the launcher splits NXF_OPTS at spaces
        set_here["NXF_OPTS"] = f"{JAVA_OPTIONS} -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile={archive}"
    return kept | set_here


def assert_plain(done: subprocess.CompletedProcess[str], launch: Launch) -> None:
    """No stack trace, and no task was started."""
    assert_no_trace_of_a_bug(done)
    assert list(launch.folder.glob("work/*/*/.command.sh")) == []


def assert_no_trace_of_a_bug(done: subprocess.CompletedProcess[str]) -> None:
    """Neither a stack trace nor Nextflow's long report of a failed task."""
    assert not any(words in done.stdout + done.stderr for words in (*TRACEBACKS, "Command executed"))
