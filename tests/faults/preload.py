"""Lets the system calls of real processes fail: injector.c, compiled when it is needed."""

import subprocess
from dataclasses import dataclass, fields
from pathlib import Path

SOURCE = Path(__file__).with_name("injector.c")


@dataclass(frozen=True, slots=True)
class Rule:
    """What shall happen to which calls; injector.c says what each setting means."""

    calls: str
    path: str
    action: str
    nth: int = 1
    every: int = 0
    last: int = 0
    counter: Path | None = None
    program: str = "python"

    def environment(self, library: Path) -> dict[str, str]:
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        words = [f"{key}={value}" for key, value in settings.items() if value is not None]
        return {"LD_PRELOAD": str(library), "FAULT": " ".join(words)}


def build_injector(folder: Path) -> Path:
    """Compile the library into this folder, if it is not there already."""
    library = folder / "injector.so"
    if not library.exists() or library.stat().st_mtime < SOURCE.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        options = ("-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(library))
        subprocess.run(["gcc", *options, str(SOURCE), "-ldl", "-lpthread"], check=True)
    return library
