"""Files that end or hang the process that reads them: they are named, and the others are read."""

import errno
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dicom_series import make_series, save

from scarnet_cli.dicom.facts import FoundFile
from scarnet_cli.dicom.headers import IMAGE
from scarnet_cli.errors import MachineError, OutOfMemoryError
from scarnet_cli.index.files.cache import NOTHING
from scarnet_cli.index.files.read_contents import ReadOptions, read_contents
from scarnet_cli.index.files.sweep import reason_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to find who reads a pipe")
PATIENT, HASTY = 60.0, 1.0


def kinds(folder: Path, names: str, options: ReadOptions) -> list[str]:
    """Return what each file turns out to be; those in capitals are pipes, which nobody writes to."""
    for name in names:
        if name.isupper():
            os.mkfifo(folder / name)
        else:
            save(make_series(1), folder, lambda _, name=name: name)
    files = [FoundFile(name, None, 1, 1) for name in names]
    return read_contents(folder, files, NOTHING, options).rows["kind"].to_pylist()


@contextmanager
def readers_ended_by(number: int, folder: Path) -> Iterator[None]:
    """Send a signal to whichever process opens a pipe of the folder."""
    done = threading.Event()
    killer = threading.Thread(target=_end_readers, args=(folder, number, done))
    killer.start()
    try:
        yield
    finally:
        done.set()
        killer.join()


def _end_readers(folder: Path, number: int, done: threading.Event) -> None:
    while not done.wait(0.02):
        for pipe in [path for path in folder.iterdir() if path.is_fifo()]:
            try:
                writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it
                continue
            # Until it is found it must not come to the pipe's end; nor must its successor, which takes longer to start.
            while (reader := _reader(pipe)) is None and not done.wait(0.002):
                pass
            if reader is not None:
                os.kill(reader, number)
            os.close(writer)


def _reader(pipe: Path) -> int | None:
    """Return another process that has a pipe open."""
    processes = (int(fds.parent.name) for fds in Path("/proc").glob("[0-9]*/fd") if _has_open(fds, pipe))
    return next((process for process in processes if process != os.getpid()), None)


def _has_open(folder: Path, pipe: Path) -> bool:
    try:
        return any(link.readlink() == pipe for link in folder.iterdir())
    except OSError:
        return False


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGSEGV, "crashed"), (signal.SIGKILL, "no_memory")])
def test_a_file_that_ends_its_process_is_named_and_the_others_are_read(tmp_path: Path, number: int, kind: str) -> None:
    with readers_ended_by(number, tmp_path):
        assert kinds(tmp_path, "aCd", ReadOptions(jobs=1, file_s=PATIENT)) == [IMAGE, kind, IMAGE]


def test_a_process_that_is_killed_on_a_file_ends_the_index_where_more_memory_may_be_had(tmp_path: Path) -> None:
    options = ReadOptions(jobs=1, file_s=PATIENT, will_retry=True)
    with readers_ended_by(signal.SIGKILL, tmp_path), pytest.raises(OutOfMemoryError, match="Memory ran out on file"):
        kinds(tmp_path, "aC", options)


def test_a_file_that_hangs_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    assert kinds(tmp_path, "aCd", ReadOptions(jobs=1, file_s=HASTY)) == [IMAGE, "stuck", IMAGE]


def test_files_beside_each_other_that_all_hang_are_a_file_server_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="does not answer") as caught:
        kinds(tmp_path, "aBCDEFGHIJKLMNOPQRSTUVWXYZ", ReadOptions(jobs=1, file_s=HASTY))
    assert str(tmp_path) not in str(caught.value)


def test_too_many_open_files_end_the_index_and_an_unreadable_file_does_not() -> None:
    with pytest.raises(MachineError, match="too many files are open"):
        reason_of(OSError(errno.EMFILE, ""))
    numbers = (errno.ENOENT, errno.EACCES, errno.EIO, errno.ESTALE)
    assert [reason_of(OSError(n, "")) for n in numbers] == ["vanished", "unreadable", "io_error", "io_error"]


def test_input_output_errors_are_the_machine_s_while_another_attempt_follows_or_where_many_are(tmp_path: Path) -> None:
    # /proc/self/mem may be opened, and reading its first page is an input/output error
    (tmp_path / "b").symlink_to("/proc/self/mem")
    again = ReadOptions(will_retry=True)
    with pytest.raises(MachineError, match="reports an input/output error, first at file"):
        read_contents(tmp_path, [FoundFile("b", None, 1, 1)], NOTHING, again)
    last = ReadOptions()
    assert (
        read_contents(tmp_path, [FoundFile("b", None, 1, 1)] * 2, NOTHING, last).rows["kind"].to_pylist()
        == ["io_error"] * 2
    )
    with pytest.raises(MachineError, match="reports an input/output error"):
        read_contents(tmp_path, [FoundFile("b", None, 1, 1)] * 3, NOTHING, last)
