"""Generated parts of the pages in docs/, each between two marks."""

from collections.abc import Mapping


def with_parts(page: str, made_by: str, parts: Mapping[str, str]) -> str:
    """Return a page with its generated parts replaced.

    Args:
        page: The page's text.
        made_by: The tool that generates the parts, as named in the marks.
        parts: Name of each part, as in the marks -> its new text.
    """
    for name, text in parts.items():
        begin, end = f"<!-- {name}: made by {made_by} -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page
