"""Python on the command line: what a MODEL names, what a file offers, and what is said where it does not."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xcheck.checks.case import Case
from xcheck.checks.report import Report
from xcheck.cli.jobs import read_jobs
from xcheck.cli.python.discovery import DiscoveredCase, discover_cases
from xcheck.cli.python.source import Reference, reference
from xcheck.errors import DefinitionError

CUBE = """
import numpy as np
import xcheck

def cube(x):
    return (x**3).sum()

def slope(x):
    return 3 * x**2

def _case(**settings):
    return xcheck.Case(xcheck.objective(cube, "numpy", gradient=slope), np.array([1.0, 2.0]), settings=settings)
"""
WRITE = """write
    @xcheck.case
    def mine():
        return xcheck.Case(objectives=loss, params=params, data=(x, y))"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write Python into the current folder, which is empty; modules that are imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    known = set(sys.modules)

    def write(text: str, name: str = "model.py", *, cube: bool = True) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((CUBE if cube else "") + textwrap.dedent(text))
        return path

    yield write
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def offered(model: str) -> list[DiscoveredCase]:
    """Load what a MODEL names."""
    wanted = reference(model)
    assert wanted is not None
    return discover_cases(wanted)


def names(model: str) -> list[str]:
    """The names of the cases that a MODEL offers."""
    return [offer.name for offer in offered(model)]


def refused(model: str) -> str:
    """What is said about a MODEL that cannot be used."""
    with pytest.raises(DefinitionError) as caught:
        offered(model)
    return str(caught.value)


def checked(model: str, *backends: str, worst: int | None = None, **flags: Any) -> list[Report]:
    """The reports on a MODEL."""
    return [job.run(None) for job in read_jobs([Path(model)], backends, worst, flags)]


def refused_flags(model: str, *backends: str, **flags: Any) -> str:
    """What is said about a command line that cannot be used."""
    with pytest.raises(DefinitionError) as caught:
        read_jobs([Path(model)], backends, None, flags)
    return str(caught.value)


# --- what a MODEL names ---------------------------------------------------------------------------------------------


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
    assert reference(model) == expected


def test_a_file_that_is_there_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its name looks like."""
    monkeypatch.chdir(tmp_path)
    Path("package:mine").write_text("[data]")
    Path("a::b.py").write_text("")
    assert reference("package:mine") is None
    assert reference("a::b.py") == Reference("a::b.py", None, is_file=True)


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
        reference(model)
    assert str(caught.value) == f"{model}: {forms}{meant}"


# --- what is offered ------------------------------------------------------------------------------------------------


def test_cases_come_in_the_order_of_definition(write: Write) -> None:
    """Objects and marked functions alike; what is not marked is left alone."""
    write("""
    second = _case()

    @xcheck.case
    def first():
        return _case()

    def helper():
        raise AssertionError

    third = second
    """)
    assert names("model.py") == ["model.py::second", "model.py::first"]
    assert names("model.py::first") == ["model.py::first"]
    assert names("model.py::third") == ["model.py::third"]


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
    assert said.startswith("two/model.py: helper_of_tests.py beside it was not imported, but ")
    assert said.endswith("one/helper_of_tests.py was: check them in two runs")


# --- what is said where that fails ----------------------------------------------------------------------------------


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


def test_a_file_that_offers_nothing(write: Write) -> None:
    """What to write, and which functions could be meant."""
    write("from textwrap import dedent")
    functions = "its functions are cube (line 5), slope (line 8)"
    assert refused("model.py") == f"model.py: has no case to check; {WRITE}\n{functions}"
    write("", cube=False)
    assert refused("model.py") == f"model.py: has no case to check; {WRITE}"


def test_a_name_that_is_not_there(write: Write) -> None:
    """The closest one, and all there are; a function that is not marked is told how."""
    write("mine = _case()\nother = _case()")
    assert refused("model.py::mien") == "model.py: there is no case mien; did you mean mine? (cases: mine, other)"
    assert refused("model.py::x") == "model.py: there is no case x (cases: mine, other)"
    assert refused("model.py::slope") == f"model.py:8: slope is a function and no case; {WRITE}"


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


def test_a_function_that_raises(write: Write) -> None:
    """All of them are said, each at its line."""
    write("""
    @xcheck.case
    def one():
        return 1 / 0

    @xcheck.case
    def two(x):
        return _case()
    """)
    said = refused("model.py").splitlines()
    assert said[0] == "model.py:16: one raises"
    assert said[2].endswith(", line 16, in one")
    assert "ZeroDivisionError: division by zero" in said
    assert "model.py:19: two raises" in said
    assert said[-1] == "TypeError: two() missing 1 required positional argument: 'x'"


def test_a_function_that_returns_no_case(write: Write) -> None:
    """What came instead."""
    write("""
    @xcheck.case
    def mine():
        _case()
    """)
    assert refused("model.py") == f"model.py:15: mine returns None, not an xcheck.Case; {WRITE}"


def test_two_cases_of_one_name(write: Write) -> None:
    """Python keeps the last one, so the first would silently not be checked."""
    write("""
    from xcheck import case

    mine = xcheck.Case(cube, np.ones(2))

    @case
    def mine():
        return _case()
    """)
    said = "model.py:19: 2 cases are called mine, at lines 16, 19: only the last would be checked"
    assert refused("model.py") == said


# --- settings and flags ---------------------------------------------------------------------------------------------


def test_settings_are_validated(write: Write) -> None:
    """Before anything is checked, with place and proposal; in Python, too."""
    write("mine = xcheck.Case(cube, np.ones(2), settings={'tolerence': 1e-3, 'scope': 'every', 'seed': -1})")
    assert refused_flags("model.py").splitlines() == [
        "model.py:13: mine.settings.tolerence: unknown setting; did you mean 'tolerance'?",
        "model.py:13: mine.settings.scope: 'every' is none of auto, all, sample, jacobian, directions",
        "model.py:13: mine.settings.seed: -1 is not a whole number from 0",
    ]
    with pytest.raises(DefinitionError, match=r"^settings.sed: unknown setting; did you mean 'seed'\?$"):
        Case(np.sum, np.ones(2), settings={"sed": 1}).check()


def test_arguments_that_cannot_be_used_are_said_before_anything_is_checked(write: Write) -> None:
    """NumPy without a gradient; parameters that are missing."""
    write("mine = xcheck.Case(cube, np.ones(2))\nother = xcheck.Case(xcheck.objective(cube, 'jax'))")
    first, second = refused_flags("model.py").splitlines()
    assert first.startswith("model.py:13: mine: numpy has no autodiff: give the backward pass as gradient=")
    assert second.startswith("model.py:14: other: params is missing")


def test_what_only_the_functions_tell_has_its_place_too(write: Write) -> None:
    """A cotangent that does not fit the loss is known when that is called."""
    write("mine = _case(cotangent=np.ones(7))")
    with pytest.raises(DefinitionError, match=r"^model.py:13: mine.cotangent: the cotangent has shape \(7,\)"):
        checked("model.py")


def test_precedence(write: Write) -> None:
    """Flags over the Case over [tool.xcheck] over the defaults."""
    Path("pyproject.toml").write_text("[tool.xcheck]\nseed = 3\ntolerance = 1e-3\nepsilon = 1e-4\ndtype = 'float32'")
    write("mine = _case(seed=5, tolerance=1e-4, name='a name of its own')")
    (report,) = checked("model.py", seed=7)
    assert (report.model, report.seed, report.tolerance) == ("model.py::mine", 7, 1e-4)
    assert (report.oracle.epsilon, report.dtype) == (1e-4, "float64")


def test_mistakes_in_flags_and_in_the_pyproject(write: Write) -> None:
    """In the words that a TOML definition gets, and once."""
    write("mine = _case()\nother = _case()")
    assert refused_flags("model.py", tolerance=-1.0) == "tolerance: must be greater than 0, got -1.0"
    Path("pyproject.toml").write_text("[tool.xcheck]\nsed = 3")
    assert refused_flags("model.py") == "pyproject.toml:2:1: tool.xcheck.sed: unknown key; did you mean 'seed'?"


def test_flags_that_have_no_meaning(write: Write) -> None:
    """Those of the other kind of MODEL; central differences are what there is anyway."""
    write("mine = _case()")
    flags = {"difference": "forward", "dtype": "float32", "engine": "node", "examples": 3, "dropout": "off"}
    assert refused_flags("model.py::mine", **flags).splitlines() == [
        f"model.py::mine: --{name} {value} has no meaning for a Python MODEL" for name, value in flags.items()
    ]
    assert refused_flags("model.toml", order=2) == "model.toml: --order 2 has no meaning for a TOML MODEL"
    assert checked("model.py", difference="central", order=1)[0].ok


def test_backends_choose_functions(write: Write) -> None:
    """By framework or by label; a gradient beside a bare function stays with it."""
    write("""
    both = xcheck.Case({
        "mine": xcheck.objective(cube, "numpy", gradient=slope),
        "theirs": xcheck.objective(cube, "jax"),
    }, np.ones(2))
    bare = xcheck.Case(cube, np.ones(2), settings={"gradient": slope})
    """)
    assert list(checked("model.py::both", "jax")[0].losses) == ["theirs"]
    assert list(checked("model.py::both", "mine")[0].losses) == ["mine"]
    assert list(checked("model.py::both", "jax", "mine")[0].losses) == ["mine", "theirs"]
    assert list(checked("model.py::bare", "numpy")[0].losses) == ["numpy"]
    said = "model.py:14: both: --backend torch leaves no function to check; there are mine (numpy), theirs (jax)"
    assert refused_flags("model.py::both", "torch") == said
    said = "model.py:14: both: --backend toch is no framework and no label; did you mean 'torch'?"
    assert refused_flags("model.py::both", "toch") == said


def test_failures_carry_the_traceback_of_the_persons_code(write: Write) -> None:
    """In each framework, with nothing of xcheck's or the framework's; in JSON and with -v."""
    write("""
    import jax.numpy as jnp
    import torch

    def deep(x, zeros):
        return (x @ zeros(5)).sum()

    @xcheck.case
    def failing():
        return xcheck.Case({
            "torch": xcheck.objective(lambda x: deep(x, torch.zeros), "torch"),
            "jax": xcheck.objective(lambda x: deep(x, jnp.zeros), "jax"),
            "numpy": xcheck.objective(lambda x: deep(x, np.zeros), "numpy", gradient=slope),
        }, np.ones((3, 4)))
    """)
    (report,) = checked("model.py")
    traces = [finding.trace for finding in report.findings]
    assert len(traces) == 3
    for trace in traces:
        assert trace is not None
        frames = [line for line in trace.splitlines() if line.startswith("  File ")]
        assert [frame.rpartition(" ")[2] for frame in frames] == ["<lambda>", "deep"]


def test_a_second_derivative_that_fails_has_its_traceback(write: Write) -> None:
    """The first is right; the second raises where the person wrote it."""
    write("""
    import torch

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, upstream):
            if torch.is_grad_enabled():
                raise ValueError("once is enough")
            return 3 * ctx.saved_tensors[0] ** 2 * upstream

    mine = xcheck.Case(xcheck.objective(lambda x: Cube.apply(x).sum(), "torch"), np.ones(2))
    """)
    (report,) = checked("model.py", order=2)
    trace = report.findings[-1].trace
    assert report.findings[-1].text == "torch: the second derivative fails: ValueError: once is enough"
    assert trace is not None
    assert "in backward" in trace
    assert "site-packages" not in trace
