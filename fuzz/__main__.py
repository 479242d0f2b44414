"""Fuzz the readers with atheris, for as long as you like.

    .venv/bin/pip install -r requirements/fuzz.txt
    .venv/bin/python -m fuzz --seconds 600 headers pixels

Without names, all targets take turns. An input that raises an exception other than a ScarnetError, or takes over 5 s of
CPU time, is saved in OUT/finds under the exception's name and position, and fuzzing continues. One that crashes, hangs
in native code or takes over 1 GiB is saved as NAME-crash-…, -timeout-… or -oom-…, and the next turn starts. Run this
with low priority: nice -n 15.
"""

import argparse
import hashlib
import re
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

LONGEST_S: Final = 5
# Wall time, for hangs in native code; it is long because a process of low priority may wait.
HANG_S: Final = 60
MEMORY_MIB: Final = 1024
# Limits a turn that finds nothing new, so that the others get theirs.
TURN_S: Final = 300
LONGEST_INPUT: Final = 1 << 17
_DONE: Final = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_SEEN: Final = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")
# Byte sequences that random mutations rarely produce: tags with VR, lengths, UIDs, values that the readers expect.
_WORDS: Final = (
    *(rb"\xff\xff\xff\xff", rb"\x00\x00\x00\x80", rb"\xff\xff\xff\x7f", rb"\xff\xff", rb"\xfe\xff\x00\xe0"),
    *(rb"\xfe\xff\x0d\xe0", rb"\xfe\xff\xdd\xe0", rb"\xfe\xff\x00\xe0\xff\xff\xff\xff", rb"\xe0\x7f\x10\x00OB"),
    *(b"SQ", b"UN", b"OB", b"OW", b"UT", b"DS", b"IS", b"US", b"UI", b"AT", b"FD", b"SL", b"UC", b"PN", b"1e999999"),
    *(b"nan", b"-inf", b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.99"),
    *(b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.5", b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.70"),
    *(b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.90", rb"\xffO\xffQ", rb"\xff\xd8\xff\xc3", rb"\xff\xf7"),
    *(b"ISO 2022 IR 87", b"ISO_IR 192", b"GB18030", rb"\x30\x52\x30\x92SQ", rb"\x00\x52\x29\x92SQ", b"ustar"),
    *(rb"PK\x01\x02", rb"PK\x05\x06", rb"PK\x06\x06", rb"PK\x06\x07", rb"\x1f\x8b\x08", b"BZh9", b"n+1", b"study"),
)


class TooSlowError(Exception):
    """An input that takes too long."""


def _too_slow(_: int, __: FrameType | None) -> None:
    raise TooSlowError


def fuzz(name: str, out: Path, options: list[str]) -> None:
    """Fuzz one target in this process; never returns."""
    import atheris  # noqa: PLC0415 (only this command requires it)

    instrumented = atheris.instrument_imports(include=["scarnet_cli", "pydicom"])  # type: ignore[attr-defined]  # has no types
    with instrumented:
        from fuzz import targets  # noqa: PLC0415

    finds: Counter[str] = Counter()

    def one_input(content: bytes) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_S)
        try:
            targets.run(name, content)
        except Exception as error:  # noqa: BLE001 (fuzzing looks for any exception)
            keep(error, content)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def keep(error: Exception, content: bytes) -> None:
        places = [f for f in traceback.extract_tb(error.__traceback__) if "/scarnet_cli/" in f.filename]
        place = places[-1] if places else traceback.extract_tb(error.__traceback__)[-1]
        label = f"{name}-{type(error).__name__}-{Path(place.filename).stem}-{place.name}-{place.lineno}"
        finds[label] += 1
        if finds[label] == 1:
            (out / "finds").mkdir(parents=True, exist_ok=True)
            (out / "finds" / f"{label}.bin").write_bytes(content)
            (out / "finds" / f"{label}.txt").write_text("".join(traceback.format_exception(error)))

    signal.signal(signal.SIGVTALRM, _too_slow)
    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


def start_corpus(name: str, out: Path) -> Path:
    """Write the valid inputs into the target's corpus, beside the inputs of earlier turns."""
    from fuzz import targets  # noqa: PLC0415

    corpus = out / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for content in targets.seeds(name):
        (corpus / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    return corpus


def take_turn(name: str, out: Path, seconds: int) -> tuple[int, str]:
    """Fuzz one target in a child process and return the number of executions and a summary line."""
    corpus = start_corpus(name, out)
    words = out / "words.dict"
    words.write_text("".join(f'"{"".join(_quoted(word))}"\n' for word in _WORDS))
    command = [sys.executable, "-m", "fuzz", "--child", name, "--out", str(out), "--", str(corpus)]
    command += [f"-max_total_time={seconds}", f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MIB}", f"-dict={words}"]
    command += [f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={out / 'finds'}/{name}-", "-print_final_stats=1"]
    (out / "finds").mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    log = ended.stderr.decode(errors="replace")
    (out / f"{name}.log").write_text(log)
    counts = [int(n) for n in re.findall(r"^#(\d+)\s", log, re.MULTILINE)] + [int(n) for n in _DONE.findall(log)]
    seen = _SEEN.findall(log)
    coverage = f"coverage {seen[-1][0]} edges, {seen[-1][1]} features, corpus {seen[-1][2]}" if seen else "no coverage"
    how = "" if ended.returncode == 0 else f"; ended by exit status {ended.returncode}"
    return max(counts, default=0), f"{coverage}{how}"


def _quoted(word: bytes) -> str:
    return "".join(
        chr(c) if chr(c).isascii() and chr(c).isalnum() else f"\\x{c:02x}"
        for c in word.decode("unicode_escape").encode("latin1")
    )


def main() -> None:
    """Fuzz the targets in turns until the time is up, and print a line per turn."""
    parser = argparse.ArgumentParser(
        "python -m fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=3600, help="Wall time for all targets together.")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="Corpus, finds and logs.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help="Targets; all where none is named.")
    chosen = parser.parse_args()
    if chosen.child:
        fuzz(chosen.child, chosen.out, chosen.names)
    from fuzz.targets import TARGETS  # noqa: PLC0415

    names = chosen.names or list(TARGETS)
    end = time.monotonic() + chosen.seconds
    total = 0
    while (left := int(end - time.monotonic())) > 0:
        for name in names:
            turn = max(1, min(TURN_S, left // len(names)))
            count, line = take_turn(name, chosen.out, turn)
            total += count
            print(f"{name}: {count} executions in up to {turn} s; {line}", flush=True)  # noqa: T201
    finds = sorted(path.name for path in (chosen.out / "finds").iterdir() if path.suffix != ".txt")
    print(f"{total} executions; {len(finds)} finds: {' '.join(finds)}")  # noqa: T201


if __name__ == "__main__":
    main()
