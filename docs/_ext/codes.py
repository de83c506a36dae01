"""Codes: a page for each, and tables of those that begin alike, from `xcheck.pages`."""

from xcheck import pages

# Per kind of code: what it is called, what the columns of its table are called, and what is said above the table.
KINDS = {
    "XC1": ("Findings", ("finding", "when"), "Where the outcome is not a plain comparison of gradients."),
    "XC2": ("Causes", ("cause", "what is wrong"), "Known mistakes that explain a wrong gradient down to the noise."),
    "XC4": ("Warnings", ("warning", "when"), "What a check does not prove, however well everything agrees."),
}

_INDEX = """\
# Codes

Every finding, cause and warning of a report has a code, and every code a page: what it means, why it happens, how to
confirm it, and how to mend it. `python -m xcheck explain XC404` prints the same page in a terminal; `explain` alone
lists all codes. Codes do not change their meaning.

In the summaries g is the wrong gradient and r the right one, D the examples' share of it and P the penalty's, m the
number of examples.
"""


def table(prefix: str) -> str:
    """Return the Markdown table of the codes that begin alike.

    >>> table("XC4").splitlines()[0]
    '| code | warning | when |'
    """
    _, (name, when), _ = KINDS[prefix]
    found = [pages.page(code) for code in pages.codes() if code.startswith(prefix)]
    rows = [f"| {page.code} | {page.title} | {page.summary.replace('|', '&#124;')} |" for page in found]
    return "\n".join([f"| code | {name} | {when} |", "|---|---|---|", *rows])


def documents() -> dict[str, str]:
    """Return the file names and the Markdown of the index and of the page of every code."""
    parts = [_INDEX]
    for prefix, (title, _, lead) in KINDS.items():
        listed = "\n".join(code for code in pages.codes() if code.startswith(prefix))
        parts += [f"## {title}\n\n{lead}\n\n{table(prefix)}\n", f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n"]
    every = {f"{code}.md": pages.page(code).text for code in pages.codes()}
    return {"index.md": "\n".join(parts), **every}
