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
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from xcheck.errors import Complaint, DefinitionError

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet


def cases(*patterns: str) -> "list[ParameterSet]":
    """Return one parameter for every definition that a pattern matches, each once, sorted by its id.

    A parameter's value is the absolute path, its id the path as seen from the folder that the pattern starts at.

    Args:
        *patterns: as of `Path.glob`, such as "examples/*.toml" or "**/*.toml". They start at the folder of the file
            that calls; where nothing matches there, at the folder of the nearest pyproject.toml above it. Files of
            other kinds than definitions (.toml) are passed over.

    Raises:
        DefinitionError: a pattern matches no definition.
    """
    import pytest  # only here: `xcheck.testing` serves people without pytest as well

    # As in a test file: patterns start at the folder of whoever calls, not at the current directory.
    frame = inspect.currentframe()
    caller = frame.f_back if frame else None
    folder = Path(caller.f_code.co_filename if caller else "").resolve().parent
    definitions = {path: name for pattern in patterns for path, name in _matches(pattern, folder)}
    return [
        pytest.param(path, id=name)
        for path, name in sorted(definitions.items(), key=lambda entry: (entry[1], entry[0]))
    ]


def _matches(pattern: str, start: Path) -> list[tuple[Path, str]]:
    """Return paths and names of what matches, where the pattern first matches anything."""
    folders = list(dict.fromkeys((start, _root(start))))
    for folder in folders:
        matches = list(_definitions(folder, pattern))
        if matches:
            return matches
    places = " or ".join(str(folder) for folder in folders)
    raise DefinitionError(Complaint(f"no definition (.toml) matches {pattern!r} in {places}"))


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
