"""Rendering of the report's templates: values are escaped, and the content policy forbids contacting any host."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scarnet_cli.draw.text import code_text, count_text, stage_text
from scarnet_cli.tables.flags import is_finding

_PACKAGE: Final = "scarnet_cli.report"


def render(
    template: str,
    styles: tuple[str, ...],
    scripts: tuple[str, ...] = (),
    *,
    rules: str = "",
    **values: Any,  # noqa: ANN401
) -> str:
    """Return the HTML of a template with its styles, then `rules`, and its scripts inline; these share one scope."""
    style, script = _joined(styles) + Markup(rules), _joined(scripts)
    policy = _policy(style, script)
    return _environment().get_template(template).render(style=style, script=script, policy=policy, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count_text,
        "in_words": code_text,
        "is_finding": is_finding,
        "stage_in_words": stage_text,
    }
    return environment


@cache
def _joined(names: tuple[str, ...]) -> Markup:
    return Markup("\n").join(Markup(files(_PACKAGE).joinpath(name).read_text()) for name in names)


@cache
def _policy(style: str, script: str) -> str:
    """Return a policy that allows only the page's own style and script, and local pictures and pages."""
    near = "'self' file:"
    scripts = f"; script-src {_digest(script)}; frame-src {near}" if script else ""
    return (
        f"default-src 'none'; img-src {near}; style-src {_digest(style)}{scripts}; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
