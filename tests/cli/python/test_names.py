"""The lines of a module's text at which its names are bound."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from xcheck.cli.python.names import bindings_of

TEXT = """\
import xcheck
mine = xcheck.Case(objectives=sum, params=[1.0])
mine = None
both = other = Case(objectives=sum, params=[1.0])
typed: object = xcheck.Case(objectives=sum, params=[1.0])

@xcheck.case
def function():
    inner = xcheck.Case(objectives=sum, params=[1.0])

def plain():
    pass

showcase = upper("case")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module whose text is known; it need not run."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "bound_names", raising=False)
    path = tmp_path / "bound_names.py"
    path.write_text('TEXT = ""\n')
    return path


def test_all_lines_and_those_that_make_a_case(module: Path) -> None:
    """Assignments with and without a type, decorated functions; nothing that is bound inside a function."""
    loaded = import_module("bound_names")
    module.write_text(TEXT)
    found = {name: (binding.lines, binding.cases) for name, binding in bindings_of(loaded).items()}
    assert found == {
        "mine": ([2, 3], [2]),
        "both": ([4], [4]),
        "other": ([4], [4]),
        "typed": ([5], [5]),
        "function": ([8], [8]),
        "plain": ([11], []),
        "showcase": ([14], []),
    }


def test_a_module_without_text_has_none() -> None:
    """Such as one that is compiled into the interpreter; asking for a name still answers."""
    bindings = bindings_of(sys)
    assert dict(bindings) == {}
    assert bindings["path"].lines == []
