"""Collection: the definitions in a folder, as parameters of a pytest test.

```python
import pytest
from xcheck.testing import cases

@pytest.mark.parametrize("model", cases("examples/*.toml"))
def test_gradients(xcheck, model):
    xcheck(model)
```
"""

import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet


def cases(*patterns: str) -> "list[ParameterSet]":
    """Return one parameter for every definition that a pattern matches, each once, sorted by its id.

    A parameter's value is the absolute path, its id the path as seen from the folder that the pattern starts at.

    Args:
        *patterns: as of `Path.glob`, such as "examples/*.toml" or "**/*.toml". They start at the folder of the file
            that calls; where nothing matches there, at the folder of the nearest pyproject.toml above it. Files of
            other kinds than definitions (.toml) are passed over.

    For a pattern that matches no definition there is one parameter, whose test fails and says where was looked: nothing
    passes in silence, and the other tests of the file run.
    """
    import pytest  # only here: `xcheck.testing` serves people without pytest as well

    # As in a test file: patterns start at the folder of whoever calls, not at the current directory.
    frame = inspect.currentframe()
    caller = frame.f_back if frame else None
    folder = Path(caller.f_code.co_filename if caller else "").resolve().parent
    folders = list(dict.fromkeys((folder, _root(folder))))
    matches = {pattern: _matches(pattern, folders) for pattern in patterns}
    definitions = {path: name for found in matches.values() for path, name in found}
    unmatched = [pattern for pattern, found in matches.items() if not found]
    places = " or ".join(str(each) for each in folders)
    return [
        pytest.param(path, id=name)
        for path, name in sorted(definitions.items(), key=lambda entry: (entry[1], entry[0]))
    ] + [
        # The plug-in lets the test fail before it runs.
        pytest.param(
            folder / pattern,
            id=pattern,
            marks=pytest.mark.xcheck_unmatched(f"no definition (.toml) matches {pattern!r} in {places}"),
        )
        for pattern in unmatched
    ]


def _matches(pattern: str, folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return paths and names of what matches, in the first folder where the pattern matches anything."""
    found = (list(_definitions(folder, pattern)) for folder in folders)
    return next((matches for matches in found if matches), [])


def _root(folder: Path) -> Path:
    """Return the folder of the nearest pyproject.toml, at or above `folder`; itself if there is none."""
    return next((place for place in (folder, *folder.parents) if (place / "pyproject.toml").is_file()), folder)


def _definitions(folder: Path, pattern: str) -> Iterable[tuple[Path, str]]:
    """Yield definitions with their names; an absolute pattern starts at its own root."""
    if Path(pattern).is_absolute():
        folder = Path(Path(pattern).anchor)
        pattern = str(Path(pattern).relative_to(folder))
    for path in folder.glob(pattern):
        if path.suffix == ".toml" and path.is_file():
            yield path.resolve(), path.relative_to(folder).as_posix()
