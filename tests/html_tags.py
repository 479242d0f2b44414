"""Reads a page's tags, for tests of what a page is made of."""

import re
from html.parser import HTMLParser


class Tags(HTMLParser):
    """Collects start tags with their attributes, and checks that tags are closed in order."""

    VOID = frozenset({"meta", "input", "img", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def bare(page: str) -> str:
    """Return the page without its style and scripts."""
    return re.sub(r"<(style|script)\b[^>]*>.*?</\1>", "", page, flags=re.DOTALL)


def text(page: str) -> str:
    """Return the page's words, as they are escaped."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare(page)))


def check_page(page: str) -> None:
    """Check that a page is whole, asks nothing from another host and has a policy that forbids it."""
    tags = Tags(page)
    assert tags.open == []
    ids = [attributes["id"] for _, attributes in tags.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes.get("href") or "" for attributes in tags.attributes("a")}
    assert {f"#{name}" for name in ids} >= {link for link in links if link.startswith("#")}
    for _, attributes in tags.tags:
        for name in ("href", "src", "action", "srcset", "data"):
            assert not re.match(r"\w+:|//", attributes.get(name) or ""), attributes
    assert not re.search(r"https?://|@import|url\(", page)
    (policy,) = (a["content"] or "" for a in tags.attributes("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src 'self' file:;")
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]*\s(style|on\w+)=", bare(page))
