"""The extension of Sphinx: what pages take from the code, and codes that are links wherever they are named.

Directives: `code-table XC4` is the table of the codes that begin so, `module-docstring NAME` the docstring of a module,
`floors` says who may import whom, `definition-keys` has the keys of a definition. The page of every code, and that
of all messages, are written into docs/reference before anything is read.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from docs._ext import codes, definition, docstrings, floors, messages

_CODE = re.compile(r"\bXC\d{3}\b")


class FromCode(SphinxDirective):
    """A directive whose content is Markdown that a function makes of the code, and perhaps of one argument."""

    optional_arguments = 1
    make: Callable[..., str]

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the Markdown; what cannot be made is an error of the build."""
        text = type(self).make(*self.arguments)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class CodeTable(FromCode):
    """The table of the codes that begin alike."""

    make = staticmethod(codes.table)


class ModuleDocstring(FromCode):
    """The docstring of a module, as it stands in the source."""

    make = staticmethod(docstrings.module_docstring)


class Floors(FromCode):
    """Who may import whom."""

    make = staticmethod(floors.floors)


class DefinitionKeys(FromCode):
    """The keys of a definition, table by table."""

    make = staticmethod(definition.reference)


class CodesAreLinks(SphinxTransform):
    """Turns every code in running text into a link to its page."""

    default_priority = 400  # before references are resolved

    def apply(self, **_: Any) -> None:
        """Replace the text nodes that name codes."""
        for text in list(self.document.findall(nodes.Text)):
            if _CODE.search(text) and not _is_inside(
                text, nodes.literal, nodes.reference, nodes.title, nodes.literal_block
            ):
                text.parent.replace(text, list(_linked(str(text))))


def _is_inside(node: nodes.Node, *kinds: type[nodes.Element]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, (*kinds, addnodes.pending_xref)):
            return True
        parent = parent.parent
    return False


def _linked(text: str) -> list[nodes.Node]:
    parts: list[nodes.Node] = []
    for words in re.split(rf"({_CODE.pattern})", text):
        if _CODE.fullmatch(words):
            options = {"refdomain": "std", "reftype": "doc", "refexplicit": True, "refwarn": True}
            reference = addnodes.pending_xref("", nodes.Text(words), reftarget=f"/reference/codes/{words}", **options)
            parts.append(reference)
        elif words:
            parts.append(nodes.Text(words))
    return parts


def write_documents(app: Sphinx) -> None:
    """Write the pages that are made of the code as a whole; a file that would not change is left alone."""
    reference = Path(app.srcdir) / "reference"
    made = {f"codes/{name}": text for name, text in codes.documents().items()} | {"messages.md": messages.page()}
    for name, text in made.items():
        file = reference / name
        file.parent.mkdir(exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def translate_docstring(_app: Sphinx, _what: str, _name: str, _of: object, _options: object, lines: list[str]) -> None:
    """Translate a docstring for autodoc, in place as Sphinx wants it."""
    lines[:] = docstrings.as_rst(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything with Sphinx."""
    app.add_directive("code-table", CodeTable)
    app.add_directive("module-docstring", ModuleDocstring)
    app.add_directive("floors", Floors)
    app.add_directive("definition-keys", DefinitionKeys)
    app.add_transform(CodesAreLinks)
    app.connect("builder-inited", write_documents)
    # Before napoleon, at 500, makes fields of the sections.
    app.connect("autodoc-process-docstring", translate_docstring, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
