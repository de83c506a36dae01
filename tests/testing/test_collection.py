"""xcheck.testing.cases: definitions as parameters of a test."""

import runpy
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two examples at its root, one more in a folder below them, and tests beside them."""
    for name in ("pyproject.toml", "examples/b.toml", "examples/a.toml", "examples/more/c.toml", "examples/a.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "tests").mkdir()
    return tmp_path


def called_from(folder: Path, *patterns: str) -> list[Any]:
    """What a test file in `folder` is given."""
    path = folder / "test_it.py"
    path.write_text(f"from xcheck.testing import cases\nfound = cases(*{patterns})\n")
    found: list[Any] = runpy.run_path(str(path))["found"]
    return found


def ids(found: list[Any]) -> list[str]:
    """The names that pytest shows."""
    return [one.id for one in found]


@pytest.mark.parametrize("folder", [".", "tests"])
def test_definitions_beside_the_test_or_at_the_root(project: Path, folder: str) -> None:
    """Sorted, absolute, named as seen from where the pattern starts; what is no definition is passed over."""
    found = called_from(project / folder, "examples/*")
    assert ids(found) == ["examples/a.toml", "examples/b.toml"]
    assert [one.values for one in found] == [((project / one.id).resolve(),) for one in found]


def test_the_tests_own_folder_comes_first(project: Path) -> None:
    """The root is not looked at when there is something beside the test."""
    (project / "tests" / "examples").mkdir()
    (project / "tests" / "examples" / "mine.toml").touch()
    assert ids(called_from(project / "tests", "examples/*.toml")) == ["examples/mine.toml"]


def test_several_patterns_name_each_file_once(project: Path) -> None:
    """Also those that overlap."""
    found = called_from(project, "examples/a.toml", "examples/**/*.toml")
    assert ids(found) == ["examples/a.toml", "examples/b.toml", "examples/more/c.toml"]


def test_upward_and_absolute_patterns(project: Path) -> None:
    """As in a shell."""
    for pattern in ("../examples/a.toml", str(project / "examples" / "a.*")):
        (one,) = called_from(project / "tests", pattern)
        assert one.values == ((project / "examples" / "a.toml").resolve(),)


@pytest.mark.parametrize("pattern", ["examples/*.tmol", "nowhere/*.toml", "examples/*.csv", "examples"])
def test_no_match_is_a_test_that_fails(project: Path, pattern: str) -> None:
    """A test without cases would pass in silence; the failure says where was looked."""
    found, unmatched = called_from(project / "tests", "examples/a.toml", pattern)
    places = f"{(project / 'tests').resolve()} or {project.resolve()}"
    assert (found.id, unmatched.id) == ("examples/a.toml", pattern)
    (mark,) = unmatched.marks
    assert (mark.name, mark.args) == ("xcheck_unmatched", (f"no definition (.toml) matches {pattern!r} in {places}",))
    assert not unmatched.values[0].is_file()
