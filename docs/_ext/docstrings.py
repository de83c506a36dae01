"""Docstrings: those of modules as parts of pages, those of public names as reStructuredText for autodoc.

The docstrings of the package are plain text with a little Markdown: `names` in single backticks, formulas with bars and
stars. As Markdown they can be shown as they are; for autodoc, which reads reStructuredText, they are translated.
"""

import ast
import re
from importlib.util import find_spec
from pathlib import Path


def module_docstring(module: str) -> str:
    """Return the docstring of a module without importing it.

    Raises:
        ValueError: there is no such module, or it has no docstring.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module {module}")
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    if text is None:
        raise ValueError(f"{module} has no docstring")
    return text


def as_rst(lines: list[str]) -> list[str]:
    r"""Return the lines of a docstring as reStructuredText: literals in double backticks, and no markup by accident.

    >>> as_rst(["`v`, of |w|: **settings of `[check]`"])
    ['``v``, of \\\\|w\\\\|: \\\\*\\\\*settings of ``[check]``']
    """
    return [line if line.lstrip().startswith((">>>", "...")) else _line(line) for line in lines]


def _line(line: str) -> str:
    parts = re.split(r"(`+[^`]+`+)", line)
    return "".join(
        f"``{part.strip('`')}``" if part.startswith("`") else re.sub(r"([|*])", r"\\\1", part) for part in parts
    )
