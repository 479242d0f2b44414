"""Write the report: one HTML page that opens from disk, with the pictures in a folder beside it."""

import base64
import hashlib
import shutil
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scarnet_cli.errors import InputError
from scarnet_cli.files import atomic_path, write_bytes
from scarnet_cli.report.content import TABLE_COLUMNS, Content, read_content, unit_text
from scarnet_cli.report.svg import bullseye_shapes
from scarnet_cli.report.words import code_words, count_text

_PACKAGE: Final = "scarnet_cli.report"
_PICTURES: Final = "pictures"
# Where a study's directory may be below what the user named: OUT/studies, a stage's output, a folder of these.
_PLACES: Final = ("*/overlay.png", *(f"{above}studies/*/overlay.png" for above in ("", "*/", "*/*/")))


def write_report(tables: Path, studies: Iterable[Path], out: Path) -> int:
    """Write `out`/index.html and `out`/pictures.

    Args:
        tables: Directory that `scarnet gather` wrote.
        studies: Directories with <study_id>/overlay.png, or studies/<study_id>/overlay.png up to two levels deep.
        out: Directory of the report; made when absent.

    Returns:
        Number of studies on the page, failed ones included.

    Raises:
        CohortError: A table is missing or unreadable.
        InputError: A study's id cannot be a file's name.
    """
    found = find_pictures(studies)
    addresses = {study_id: f"{_PICTURES}/{quote(study_id)}.png" for study_id in found}
    content = read_content(tables, addresses)
    for study in content.studies:
        if study.study_id in found:
            copy_picture(found[study.study_id], out / _PICTURES, study.study_id)
    write_bytes(out / "index.html", render_page(content).encode())
    return content.found


def find_pictures(studies: Iterable[Path]) -> dict[str, Path]:
    """Return each study's picture in these directories."""
    pictures = (path for directory in studies for place in _PLACES for path in sorted(directory.glob(place)))
    return {path.parent.name: path for path in pictures}


def copy_picture(picture: Path, folder: Path, study_id: str) -> None:
    """Copy a picture atomically to `folder`/<study_id>.png.

    Raises:
        InputError: The id is no plain file name.
    """
    name = f"{study_id}.png"
    if Path(name).name != name:
        message = f"Study id {study_id!r} cannot be a file's name; give it another in the samplesheet."
        raise InputError("bad_study_id", message)
    with atomic_path(folder / name) as temporary:
        shutil.copyfile(picture, temporary)


def render_page(content: Content) -> str:
    """Return the cohort's page."""
    columns = [(label, unit_text(column)) for column, label, _ in TABLE_COLUMNS]
    return render("page.html.jinja", content=content, columns=columns, shapes=bullseye_shapes())


def render(template: str, **values: Any) -> str:  # noqa: ANN401 (whatever the template names)
    """Return the HTML of a template of this room. It names no other host, and its policy forbids to ask one."""
    environment = Environment(
        loader=PackageLoader(_PACKAGE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = count_text
    environment.filters["in_words"] = code_words
    style, script = (files(_PACKAGE).joinpath(name).read_text() for name in ("page.css", "page.js"))
    return environment.get_template(template).render(
        style=Markup(style), script=Markup(script), policy=_policy(style, script), **values
    )


def _policy(style: str, script: str) -> str:
    """Return a content security policy that allows this page's own style, script and pictures and nothing else."""
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)
    )
    return (
        f"default-src 'none'; img-src 'self' file:; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'"
    )
