"""Pages: what each code means, why it happens, how to confirm it and how to mend it. One file per code.

`python -m xcheck explain XC201` prints a page; reports and the README take titles and summaries from the same file.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from xcheck.errors import Complaint, DefinitionError

HEADINGS = ("What it means", "Why it happens", "How to confirm", "How to mend")


@dataclass(frozen=True, slots=True)
class Page:
    """One code explained.

    Attributes:
        code: such as "XC201".
        title: a few words.
        summary: one line, for tables.
        text: the whole page in Markdown.
    """

    code: str
    title: str
    summary: str
    text: str


@cache
def codes() -> tuple[str, ...]:
    """Return all codes that have a page, in order."""
    return tuple(sorted(file.name.removesuffix(".md") for file in files(__name__).iterdir() if file.name[-3:] == ".md"))


@cache
def page(code: str) -> Page:
    """Return the page of a code.

    Raises:
        DefinitionError: there is no such code.

    >>> page("XC404").title
    'at a kink'
    """
    name = code.upper()
    if name not in codes():
        raise DefinitionError(Complaint(f"there is no code {code!r}; there are {', '.join(codes())}"))
    text = files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")
    heading, _, rest = text.partition("\n\n")
    summary = " ".join(rest.partition("\n\n## ")[0].split())
    return Page(name, heading.removeprefix(f"# {name}").strip(), summary, text)
