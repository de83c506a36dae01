"""The page of worked examples, made of the examples' docstrings and the reports on their buggy versions.

`python -m tests.worked_examples` writes docs/worked-examples.md anew;
`tests.test_examples` holds them against what the examples say today, without the numbers that depend on the machine.
"""

import importlib
import inspect
from pathlib import Path
from types import ModuleType

from xcheck import Report

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "worked-examples.md"
TITLES = {
    "custom_autograd_function": "A torch.autograd.Function against a formula",
    "custom_vjp": "A jax.custom_vjp alone",
    "numpy_beside_jax": "A backward pass by hand beside JAX",
    "port_torch_to_jax": "A port from torch to JAX",
    "second_order": "Second derivatives",
    "complex_parameters": "Complex parameters",
    "batch_norm_layer": "A layer with a cache",
    "least_squares_jacobian": "A Jacobian for least squares",
}
INTRODUCTION = """# Worked examples

Eight files in `xcheck/examples`, each short enough to be read. Each has a case `right`, which agrees,
and a case `buggy`, with one mistake that people make; below is what xcheck says about that one. To see it oneself:

```py
from xcheck.examples import custom_vjp

print(custom_vjp.buggy().check(worst=4, name="custom_vjp.buggy"))
```

This page is written by `python -m tests.worked_examples`, and a test compares it with what the examples say.
"""


def module(name: str) -> ModuleType:
    """Import one example."""
    return importlib.import_module(f"xcheck.examples.{name}")


def buggy(name: str) -> Report:
    """Check the buggy version of one example."""
    report: Report = module(name).buggy().check(name=f"{name}.buggy", worst=4)
    return report


def section(name: str) -> str:
    """Return one example's part of the page: what it teaches, and the report."""
    lesson = inspect.getdoc(module(name)) or ""
    link = f"[xcheck/examples/{name}.py](../xcheck/examples/{name}.py)"
    return f"## {TITLES[name]}\n\n{lesson}\n\n{link}, `buggy`:\n\n{shown(name)}"


def shown(name: str) -> str:
    """Return the report on the buggy version as a block of Markdown."""
    return f"```text\n{str(buggy(name)).rstrip()}\n```\n"


def page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *(section(name) for name in TITLES)])


if __name__ == "__main__":
    PAGE.write_text(page())
