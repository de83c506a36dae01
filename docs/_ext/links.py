"""Links: every link of the built site leads to a file and to a place in it, and nothing is fetched from elsewhere.

`python -m docs._ext.links build/docs` ends with 1 and says what is broken; `make docs` runs it.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser loads by itself, without anybody clicking.
_LOADED = {
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
}
# Links that are for machines, and load nothing.
_UNLOADED_RELATIONS = {"canonical", "index", "search", "next", "prev"}


class Page(HTMLParser):
    """What one HTML page links to, what it loads, and which places in it can be linked to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the places of one tag."""
        values = {name: value or "" for name, value in attrs}
        self.places.update(values[name] for name in ("id", "name") if name in values)
        for name in {"href", "src", "data"} & set(values):
            is_loaded = (tag, name) in _LOADED and values.get("rel") not in _UNLOADED_RELATIONS
            (self.loaded if is_loaded else self.links).append(values[name])


def broken(site: Path) -> Iterator[str]:
    """Yield a sentence for every link that leads nowhere, and for everything that is fetched from elsewhere."""
    pages = {file: Page(file) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        here = file.relative_to(site)
        for link in page.loaded:
            if urlsplit(link).netloc:
                yield f"{here}: {link} is fetched from elsewhere"
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file.resolve()
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{here}: {link}: there is no such file"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{here}: {link}: there is no such place"


if __name__ == "__main__":
    complaints = list(broken(Path(sys.argv[1]).resolve()))
    sys.exit("\n".join(complaints) if complaints else 0)
