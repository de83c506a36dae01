"""Python on the command line, as a process: exit statuses, streams, formats."""

import json
from pathlib import Path

import numpy as np
import pytest

import xcheck
from tests.cli.python.models import Write, checked, refused_flags
from tests.cli.test_main import run
from xcheck.checks.case import Case
from xcheck.cli.jobs import read_jobs
from xcheck.errors import DefinitionError

MODEL = """
import numpy as np
import xcheck

print("the file speaks")

def cube(x):
    return (x**3).sum()

def broken(x):
    return x @ np.ones(7)

def case(loss, gradient, x):
    return xcheck.Case(xcheck.objective(loss, "numpy", gradient=gradient), np.array(x))

right = case(cube, lambda x: 3 * x**2, [1.0, 2.0])

@xcheck.case
def infinite():
    return case(lambda x: cube(x) * np.inf, lambda x: x * np.inf, [1.0, 2.0])

@xcheck.case
def wrong():
    return case(cube, lambda x: 2 * x**2, [1.0, 2.0])

@xcheck.case
def failing():
    return case(broken, broken, [1.0, 2.0])
"""
RIGHT = "AGREE  {}: numpy agrees with the oracle on all 2 parameters"
FORMS = "a MODEL is a definition model.toml, a Python file model.py or model.py::name, or package.module:name"
WRONG = "DISAGREE  {}: numpy disagrees: x[1] is 0.6667 x the oracle (2 of 2 wrong)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with model.py, and the same as package.module."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / "module.py").write_text(MODEL)
    return tmp_path


def test_every_case_has_its_report(folder: Path) -> None:
    """In the order of definition; ERROR decides. With -v the report shows the person's frames, and no others."""
    done = run("model.py", "-v", folder=folder)
    assert done.returncode == 4
    firsts = [line.partition(": ")[0] for line in done.stdout.splitlines() if "  model.py::" in line]
    assert firsts == [
        "AGREE  model.py::right",
        "UNDECIDED  model.py::infinite",
        "DISAGREE  model.py::wrong",
        "ERROR  model.py::failing",
    ]
    assert done.stdout.count("  again: python -m xcheck model.py -v --seed 0\n") == 3
    frames = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("File ")]
    assert frames == [f'File "{folder / "model.py"}", line 11, in broken']
    assert "      return x @ np.ones(7)\n             ~~^~~~~~~~~~~~\n" in done.stdout
    assert "layers at θ" not in done.stdout


def test_agree_is_0_and_what_the_file_prints_is_no_report(folder: Path) -> None:
    """Standard output can be read by machines; the object has all the keys that it has for a definition."""
    done = run("model.py::right", "package.module:right", "--format", "json", "--seed", "4", folder=folder)
    assert (done.returncode, done.stderr) == (0, "the file speaks\nthe file speaks\n")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["schema"], first["verdict"], first["exit"]) == (1, "AGREE", 0)
    assert (first["model"], second["model"]) == ("model.py::right", "package.module:right")
    assert (first["parameters"], first["verified"], first["seed"], first["layers"]) == (2, 2, 4, [])
    assert [(pair["a"], pair["b"]) for pair in first["pairs"]] == [("numpy", "oracle")]
    assert first["command"][-2:] == ["--seed", "4"]
    assert first["environment"]["device"] == "cpu"


def test_disagree_is_1(folder: Path) -> None:
    """One line per case with -q; a definition beside it is checked as ever."""
    run("init", "logistic_regression", folder=folder)
    done = run("-q", "model.py::wrong", "logistic_regression.toml", "model.py::right", folder=folder)
    first, second, third = done.stdout.splitlines()
    assert (done.returncode, first, third) == (1, WRONG.format("model.py::wrong"), RIGHT.format("model.py::right"))
    assert second.startswith("AGREE  logistic_regression.toml: numpy, torch, jax agree")


def test_undecided_is_3(folder: Path) -> None:
    """An infinite loss decides nothing."""
    done = run("-q", "model.py::infinite", folder=folder)
    assert done.returncode == 3
    assert done.stdout.startswith("UNDECIDED  model.py::infinite: ")


def test_mistakes_are_2_and_said_at_once(folder: Path) -> None:
    """Of several MODELs, in Python and not; nothing is checked."""
    (folder / "raises.py").write_text("import xcheck\n\n1 / 0\n")
    models = ["model.py::wrnog", "raises.py", "no_such.py", "package.module", "no_such.toml", "model.py::right"]
    done = run(*models, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "the file speaks",
        "the file speaks",
        "model.py: there is no case wrnog; did you mean wrong? (cases: right, infinite, wrong, failing)",
        "raises.py:3: fails while it is loaded",
        "Traceback (most recent call last):",
        f'  File "{folder / "raises.py"}", line 3, in <module>',
        "    1 / 0",
        "    ~~^~~",
        "ZeroDivisionError: division by zero",
        "no_such.py: cannot read: no such file",
        f"package.module: {FORMS}",
        "no_such.toml: cannot read: no such file",
    ]


def test_flags_of_the_other_kind_are_2(folder: Path) -> None:
    """The flag and the MODEL are named."""
    done = run("model.py::right", "no_such.toml", "--dtype", "float32", "--scope", "all", folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "model.py::right: --dtype float32 has no meaning for a Python MODEL",
        "no_such.toml: --scope all has no meaning for a TOML MODEL",
    ]


def test_init_python_writes_an_example_that_agrees(tmp_path: Path) -> None:
    """A hand-written NumPy gradient beside JAX; a second derivative of what is left where one is asked for."""
    done = run("init", "python", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote model.py\nnow run: python -m xcheck model.py\n")
    assert "torch" not in (tmp_path / "model.py").read_text()
    done = run("model.py", "-q", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "AGREE  model.py::regression: mine, jax agree with the oracle on all 32 parameters\n"
    done = run("model.py", "--backend", "jax", "--order", "2", folder=tmp_path)
    assert done.returncode == 0
    assert "mine" not in done.stdout


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
    assert refused_flags("model.toml", inputs=True) == "model.toml: --inputs has no meaning for a TOML MODEL"
    assert checked("model.py", difference="central", order=1)[0].ok


def test_inputs_are_checked_where_that_is_asked_for(write: Write) -> None:
    """As `inputs=True` does: the floating data are parameters, too."""
    write("mine = xcheck.Case(xcheck.objective(lambda x, y: (x * y).sum(), 'jax'), np.ones(2), (np.ones(2),))")
    assert checked("model.py")[0].parameters == 2
    report = checked("model.py", inputs=True)[0]
    assert [tensor.name for tensor in report.tensors] == ["x", "data[0]"]


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


def test_a_job_says_whether_it_proves(folder: Path) -> None:
    """By the flag, of a function as of a definition; the progress bar is named by it."""
    for flags, proves in (({}, False), ({"proof": True}, True)):
        jobs = read_jobs(
            [folder / "model.py", Path(xcheck.__file__).parent / "examples" / "iris.toml"], (), None, flags
        )
        assert [job.proves for job in jobs] == [proves] * len(jobs)
        assert len(jobs) == 5
