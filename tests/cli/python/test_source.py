"""The Python that a MODEL names: its forms, how it is loaded, and what is said where that fails."""

import sys
import textwrap
from pathlib import Path

import pytest

from tests.cli.python.models import CUBE, Write, checked, names, offered, refused
from xcheck.cli.python.source import Reference, parse_reference
from xcheck.errors import DefinitionError


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("model.py", Reference("model.py", None, is_file=True)),
        ("some folder/model.py::mine", Reference("some folder/model.py", "mine", is_file=True)),
        ("package.module:mine", Reference("package.module", "mine", is_file=False)),
        ("module:mine", Reference("module", "mine", is_file=False)),
        ("model.toml", None),
    ],
)
def test_the_forms_of_a_model(model: str, expected: Reference | None) -> None:
    """A file, a case in it, a case in a module, a definition; nothing needs to be there yet."""
    assert parse_reference(model) == expected


def test_a_file_that_is_there_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its name looks like."""
    monkeypatch.chdir(tmp_path)
    Path("package:mine").write_text("[data]")
    Path("a::b.py").write_text("")
    assert parse_reference("package:mine") is None
    assert parse_reference("a::b.py") == Reference("a::b.py", None, is_file=True)


@pytest.mark.parametrize(
    ("model", "meant"),
    [
        ("package.module", ""),
        ("model.py:mine", "; write model.py::mine"),
        ("package.module::mine", "; write package.module:mine"),
        ("model.py::", ""),
        ("iris", ""),
        ("1:2", ""),
    ],
)
def test_anything_else_says_which_forms_there_are(model: str, meant: str) -> None:
    """And what was probably meant."""
    forms = "a MODEL is a definition model.toml, a Python file model.py or model.py::name, or package.module:name"
    with pytest.raises(DefinitionError) as caught:
        parse_reference(model)
    assert str(caught.value) == f"{model}: {forms}{meant}"


def test_modules_are_imported_from_the_current_folder(write: Write) -> None:
    """As `python -m` does."""
    write("", "package/__init__.py", cube=False)
    write("mine = _case()", "package/module.py")
    (offer,) = offered("package.module:mine")
    assert (offer.name, offer.source.shown) == ("package.module:mine", "package/module.py")
    assert offer.case.check().ok


def test_the_folder_can_be_imported_from(write: Write) -> None:
    """While the file is loaded, when its function is called and while its loss runs; afterwards not."""
    write("BASE = 1.0", "folder/early.py", cube=False)
    write("POWER = 3", "folder/late.py", cube=False)
    write("EXTRA = 0.0", "folder/below/latest.py", cube=False)
    write(
        """
        import sys
        from pathlib import Path
        from early import BASE
        sys.path.append(str(Path(__file__).parent / "below"))

        def loss(x):
            import latest
            return (x**3).sum() + latest.EXTRA

        @xcheck.case
        def mine():
            from late import POWER
            return xcheck.Case(xcheck.objective(loss, "numpy", gradient=lambda x: POWER * x**2), np.array([BASE]))
        """,
        "folder/model.py",
    )
    before = list(sys.path)
    assert [report.verdict for report in checked("folder/model.py")] == ["AGREE"]
    assert sys.path == before


def test_the_same_file_twice_is_two_modules(write: Write) -> None:
    """Neither sees the other, and dataclasses, which look their module up, work."""
    write(
        """
    from __future__ import annotations
    from dataclasses import KW_ONLY, dataclass

    @dataclass
    class Params:
        _: KW_ONLY
        x: np.ndarray

    mine = _case()
    """,
        cube=False,
    )
    text = Path("model.py").read_text()
    Path("model.py").write_text(text.replace("import KW_ONLY, dataclass\n", "import KW_ONLY, dataclass\n" + CUBE))
    (first,), (second,) = offered("model.py"), offered("model.py")
    assert first.source.module is not second.source.module
    assert sys.modules[first.source.module.__name__] is first.source.module


def test_nothing_is_left_behind(write: Write) -> None:
    """No compiled file; and where loading fails, no module."""
    write("mine = _case()")
    write("raise ValueError", "broken.py")
    writes, before = sys.dont_write_bytecode, set(sys.modules)
    refused("broken.py")
    assert set(sys.modules) == before
    names("model.py")
    assert not Path("__pycache__").exists()
    assert sys.dont_write_bytecode == writes


def test_an_edit_is_seen_at_once(write: Write) -> None:
    """Also one that keeps size and time of the file."""
    write("mine = _case(seed=1)")
    assert offered("model.py")[0].case.settings == {"seed": 1}
    write("mine = _case(seed=2)")
    assert offered("model.py")[0].case.settings == {"seed": 2}


def test_modules_of_two_folders_are_not_mixed_up(write: Write) -> None:
    """Python keeps one `helper`; the second file is not silently given that of the first."""
    for folder in ("one", "two"):
        write("def power(): return 3", f"{folder}/helper_of_tests.py", cube=False)
        write("from helper_of_tests import power\nmine = _case()", f"{folder}/model.py")
    assert names("one/model.py") == ["one/model.py::mine"]
    said = refused("two/model.py")
    assert said.startswith("two/model.py: helper_of_tests has been imported from ")
    other, _, advice = said.partition(", not from the ")
    assert other.endswith("one/helper_of_tests.py")
    assert advice == "helper_of_tests.py beside this file: check the two in separate runs"


def test_a_file_that_is_not_there() -> None:
    """By name, too."""
    assert refused("no_such.py") == "no_such.py: cannot read: no such file"
    assert refused("no_such.py::mine") == "no_such.py: cannot read: no such file"


def test_a_module_that_is_not_there(write: Write) -> None:
    """The part that is missing is named; a module that the person's own is missing is their traceback."""
    write("", "package/__init__.py", cube=False)
    write("import no_such_package", "package/module.py", cube=False)
    said = "there is no module {}, neither in the current folder nor installed"
    assert refused("package.other:mine") == f"package.other:mine: {said.format('package.other')}"
    assert refused("no_such.module:mine") == f"no_such.module:mine: {said.format('no_such')}"
    lines = refused("package.module:mine").splitlines()
    assert lines[0] == "package.module:mine: fails while it is imported"
    assert lines[-1] == "ModuleNotFoundError: No module named 'no_such_package'"


def test_a_file_that_raises(write: Write) -> None:
    """The traceback begins in the person's file."""
    path = write(
        """
        def broken(x):
            return x / 0

        broken(1)
        """,
        cube=False,
    )
    assert refused("model.py") == textwrap.dedent(f"""\
        model.py:3: fails while it is loaded
        Traceback (most recent call last):
          File "{path}", line 5, in <module>
            broken(1)
          File "{path}", line 3, in broken
            return x / 0
                   ~~^~~
        ZeroDivisionError: division by zero""")


def test_a_file_that_is_no_python(write: Write) -> None:
    """The line that Python could not read."""
    write("x = 1\ny = = 2", cube=False)
    lines = refused("model.py").splitlines()
    assert lines[0] == "model.py:2: fails while it is loaded"
    assert lines[-1] == "SyntaxError: invalid syntax"
    assert not any("xcheck/" in line for line in lines)


def test_causes_and_libraries(write: Write) -> None:
    """Errors that were caught on the way are shown; frames of libraries are not, those of helpers are."""
    write("def half(x):\n    return np.ones(3) @ np.ones(x)\nimport numpy as np", "helper_that_raises.py", cube=False)
    write(
        """
        import json
        import helper_that_raises
        try:
            json.loads("{")
        except ValueError as error:
            helper_that_raises.half(4)
        """,
        cube=False,
    )
    said = refused("model.py")
    frames = [line.strip() for line in said.splitlines() if line.startswith("  File ")]
    places = [frame.partition(", ")[2] for frame in frames]
    assert places == ["line 5, in <module>", "line 7, in <module>", "line 2, in half"]
    assert "JSONDecodeError" in said
    assert "During handling of the above exception, another exception occurred:" in said


def test_a_file_that_ends_the_program(write: Write) -> None:
    """An exit is a mistake of the file, whatever its status; Ctrl-C is not."""
    write("import sys\nsys.exit(0)", cube=False)
    assert refused("model.py").startswith("model.py:2: fails while it is loaded\n")
    write("raise KeyboardInterrupt", cube=False)
    with pytest.raises(KeyboardInterrupt):
        offered("model.py")
