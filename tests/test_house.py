"""The house stays easy to enter: few files at the top, small folders and modules, floors without an exception."""

import ast
import tomllib
from pathlib import Path

import pytest

import xcheck
from tests.portable import GOLDEN, NUMERICAL

ROOT = Path(__file__).parents[1]
PACKAGE = Path(xcheck.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "examples" not in path.parts)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def functions_in(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_few_files_at_the_top() -> None:
    """What a newcomer sees first."""
    assert len(list(PACKAGE.glob("*.py"))) <= 15


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES} - {PACKAGE}), ids=lambda path: path.name)
def test_folders_are_small(folder: Path) -> None:
    """A folder that passes thirteen modules gets sub-folders."""
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 13


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_short(module: Path) -> None:
    """A module splits at 300 lines, or at its second noun."""
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


def test_no_import_is_ignored() -> None:
    """A floor with an exception holds nothing; and every module is on one."""
    assert not any("ignore_imports" in contract for contract in CONTRACTS)
    layered = [contract for contract in CONTRACTS if contract["type"] == "layers"]
    assert layered
    assert all(contract["exhaustive"] for contract in layered)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_modules_test_is_found_by_its_name(module: Path) -> None:
    """xcheck/compare/pair.py is tested in tests/compare/test_pair.py; what has no function of its own needs none."""
    if module.name.startswith("__") or not functions_in(module):
        return
    place = module.relative_to(PACKAGE)
    assert (ROOT / "tests" / place.parent / f"test_{place.name}").is_file()


@pytest.mark.parametrize("tests", [*GOLDEN, *NUMERICAL])
def test_portable_runs_what_is_there(tests: str) -> None:
    """A path that has moved would run nothing."""
    assert (ROOT / tests.split("::", maxsplit=1)[0]).exists()
