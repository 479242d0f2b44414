"""Disks that are small, read-only or gone; only inside a mount namespace of one's own."""

import shutil
import subprocess
from pathlib import Path


def small_disk(folder: Path, *, free_kib: int, files: int | None = None) -> None:
    """Put a memory disk at a folder, with what is in it and so much space left; `files`: so many can be added."""
    content = folder.with_name(folder.name + ".content")
    shutil.copytree(folder, content, symlinks=True, copy_function=shutil.copy2)
    paths = list(content.rglob("*"))
    used = sum(-(-path.lstat().st_size // 4096) * 4096 for path in paths if path.is_file() and not path.is_symlink())
    limit = "" if files is None else f",nr_inodes={len(paths) + 2 + files}"
    mount("-t", "tmpfs", "-o", f"size={used // 1024 + free_kib}k{limit}", "tmpfs", str(folder))
    subprocess.run(["cp", "-a", f"{content}/.", str(folder)], check=True)
    shutil.rmtree(content)


def enlarge(folder: Path) -> None:
    mount("-o", "remount,size=1g,nr_inodes=100000", str(folder))


def own_disk(folder: Path) -> Path:
    """Make a folder a mount of its own, as a file server's share is; return where its content really is."""
    content = folder.with_name(folder.name + ".content")
    folder.rename(content)
    folder.mkdir()
    appear(folder, content)
    return content


def appear(folder: Path, content: Path) -> None:
    mount("--bind", str(content), str(folder))


def vanish(folder: Path) -> None:
    """Take a disk away while it is in use; what is left is an empty folder that cannot be written."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    mount("-t", "tmpfs", "-o", "ro", "tmpfs", str(folder))


def return_disk(folder: Path, content: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    appear(folder, content)


def set_read_only(folder: Path) -> None:
    mount("-o", "remount,bind,ro", str(folder))


def set_writable(folder: Path) -> None:
    mount("-o", "remount,bind,rw", str(folder))


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)
