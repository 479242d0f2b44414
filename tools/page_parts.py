"""The parts of a page that are made, each between two marks: a page of docs/ is prose with such parts."""

from collections.abc import Mapping


def with_parts(page: str, made_by: str, parts: Mapping[str, str]) -> str:
    """Return a page with parts made anew.

    Args:
        page: Its text.
        made_by: What makes them, as the marks say it.
        parts: Name of each part, as the marks say it, and what shall stand there.
    """
    for name, text in parts.items():
        begin, end = f"<!-- {name}: made by {made_by} -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page
