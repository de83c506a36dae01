"""The pytest plug-in, as its users see it: pytest run in a folder of its own."""

import copy
import pickle
import re
from importlib.metadata import entry_points

import numpy as np
import pytest

from tests.docs.pages import ROOT, block_of
from xcheck import GradientMismatch, check, verify
from xcheck.report.text import render

pytest_plugins = ["pytester"]

# By its entry point where xcheck is installed with it, else by its module: never both.
PLUGIN = "xcheck" if entry_points(group="pytest11", name="xcheck") else "xcheck.pytest_plugin"
# Without Hypothesis, which would be imported for every summary.
OPTIONS = ("-p", PLUGIN, "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--strict-markers")
DEFINITION = """
[data]
synthetic = { inputs = 3, examples = 8 }
[network]
layers = [{ units = 2 }]
loss = "mean_squared_error"
[check]
backends = ["numpy"]
"""
LOSSES = """
import numpy as np
import pytest

P = {"W": np.arange(1.0, 7.0).reshape(2, 3)}

def loss(p):
    return float((p["W"] ** 3).sum())

def right(p):
    return {"W": 3 * p["W"] ** 2}

def wrong(p):
    slopes = 3 * p["W"] ** 2
    slopes[0, 1] *= 1.5
    return {"W": slopes}
"""
HEADLINE = "numpy disagrees: W[0, 1] is 1.5 x the oracle (1 of 6 wrong)"


@pytest.fixture(scope="module", autouse=True)
def everything_is_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what xcheck loads: a run inside this process forgets what it imports, and NumPy is not imported twice."""
    path = tmp_path_factory.mktemp("loaded") / "model.toml"
    path.write_text(DEFINITION)
    render(verify(path))
    assert check(lambda p: float((p**2).sum()), np.ones(2), gradient=lambda p: 2 * p)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> "Run":
    """Runs pytest, 100 columns wide, on a test file made of LOSSES and what is given."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PY_COLORS", "0")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    return Run(pytester)


class Run:
    """One run of pytest."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def __call__(self, tests: str, *options: str) -> pytest.RunResult:
        self.pytester.makepyfile(test_it=LOSSES + tests)
        return self.pytester.runpytest_inprocess(*OPTIONS, *options)


FAILS = """
def test_it(xcheck):
    xcheck(loss, P, gradient=wrong)
"""


def test_a_gradient_that_is_right_passes(run: Run) -> None:
    """The fixture, called, is assert_gradients: it returns the report."""
    tests = """
def test_it(xcheck):
    assert xcheck(loss, P, gradient=right).ok
    assert xcheck.assert_gradients(loss, P, gradient=right).ok
    assert not xcheck.check(loss, P, gradient=wrong).ok
"""
    run(tests).assert_outcomes(passed=1)


def test_the_first_line_of_a_failure_stands_alone(run: Run) -> None:
    """The line of the test, the headline, then the report at the terminal's width; nothing of xcheck's own code."""
    result = run(FAILS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       xcheck(loss, P, gradient=wrong)",
            f"E       {HEADLINE.replace('[', '[[]')}",
            "test_it.py:*: GradientMismatch",
            "*- xcheck -*",
            "DISAGREE  loss: numpy disagrees*",
            "  numpy – oracle, worst components",
        ],
    )
    errors = [line for line in result.outlines if line.startswith("E ")]
    assert errors == [f"E       {HEADLINE}"]
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    result.stdout.no_fnmatch_line("*checking.py*")


def test_the_short_summary_is_the_headline(run: Run) -> None:
    """Without the name of the exception."""
    assert f"FAILED test_it.py::test_it - {HEADLINE}" in run(FAILS, "-vv").outlines


def test_the_report_is_as_wide_as_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are folded where the terminal ends."""
    assert f"DISAGREE  loss: {HEADLINE}" in run(FAILS).outlines
    monkeypatch.setenv("COLUMNS", "50")
    assert "DISAGREE  loss: numpy disagrees: W[0, 1] is 1.5 x" in run(FAILS).outlines


def test_a_bare_assert_gradients_is_shown_the_same_way(run: Run) -> None:
    """The fixture is not needed for a good failure."""
    tests = """
from xcheck import assert_gradients

def test_it():
    assert_gradients(loss, P, gradient=wrong)
"""
    result = run(tests)
    assert f"E       {HEADLINE}" in result.outlines
    assert f"DISAGREE  loss: {HEADLINE}" in result.outlines
    result.stdout.no_fnmatch_line("*checking.py*")


@pytest.mark.parametrize("style", ["long", "short", "line", "native", "no"])
def test_every_style_of_traceback_works(run: Run, style: str) -> None:
    """The headline is the message in all of them, and the report is shown at most once."""
    result = run(FAILS, f"--tb={style}", "-vv")
    result.assert_outcomes(failed=1)
    assert f"FAILED test_it.py::test_it - {HEADLINE}" in result.outlines
    shown = sum(line.startswith("DISAGREE") for line in result.outlines)
    assert shown == (0 if style in ("line", "no") else 1)


@pytest.mark.parametrize(
    ("function", "verdict", "headline"),
    [
        ("1 / 0", "ERROR", "numpy: ZeroDivisionError: division by zero"),
        ("loss(p) + np.random.rand()", "UNDECIDED", "numpy is undecided: its loss differs by * between two calls*"),
    ],
)
def test_what_is_not_plainly_right_fails(run: Run, function: str, verdict: str, headline: str) -> None:
    """UNDECIDED and ERROR, with a headline each."""
    result = run(f"\ndef test_it(xcheck):\n    xcheck(lambda p: {function}, P, gradient=right)\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E       {headline}", f"{verdict}  function: {headline[:40]}*"])


def test_other_failures_are_left_alone(run: Run) -> None:
    """What is no GradientMismatch looks as ever."""
    result = run(FAILS.replace("xcheck(loss, P, gradient=wrong)", "assert 1 == 2"))
    assert "E       assert 1 == 2" in result.outlines


# --- settings -------------------------------------------------------------------------------------------------------


def test_settings_come_from_call_marker_and_project(run: Run) -> None:
    """The call wins over the closest marker, that over the module's, that over pyproject.toml; key by key."""
    run.pytester.makepyprojecttoml("[tool.xcheck]\ntolerance = 1e-3\nseed = 7\nengine = 'loop'")
    tests = """
pytestmark = pytest.mark.xcheck(tolerance=1e-4, seed=8, dtype="float32")

class Test:
    @pytest.mark.xcheck(tolerance=1e-5)
    def test_closest(self, xcheck):
        report = xcheck(loss, P, gradient=right)
        assert (report.tolerance, report.seed) == (1e-5, 8)
        assert xcheck.check(loss, P, gradient=right, tolerance=1e-6).tolerance == 1e-6

def test_module(xcheck):
    assert xcheck(loss, P, gradient=right).tolerance == 1e-4
"""
    run(tests).assert_outcomes(passed=2)
    alone = """
def test_project(xcheck):
    report = xcheck(loss, P, gradient=right)
    assert (report.tolerance, report.seed) == (1e-3, 7)
"""
    run(alone).assert_outcomes(passed=1)


def test_models_take_the_settings_they_know(run: Run) -> None:
    """A definition's own [check] stands between marker and pyproject.toml; a Problem is drawn already."""
    run.pytester.makepyprojecttoml("[tool.xcheck]\ntolerance = 1e-3\nseed = 7\nengine = 'loop'\nbackends = ['numpy']")
    run.pytester.path.joinpath("model.toml").write_text(DEFINITION + "seed = 3\n")
    tests = """
from xcheck import Dense, Network, Problem

X, Y = np.eye(4, 3), np.ones((4, 2))
NETWORK = Network(inputs=3, layers=(Dense(units=2),), loss="mean_squared_error")
PROBLEM = Problem.create(NETWORK, X, Y, seed=5)

@pytest.mark.xcheck(tolerance=1e-4, scope="all")
def test_definition(xcheck):
    report = xcheck("model.toml")
    assert (report.tolerance, report.seed, report.oracle.engine) == (1e-4, 3, "loop")
    assert xcheck.verify("model.toml", tolerance=1e-5).tolerance == 1e-5

@pytest.mark.xcheck(tolerance=1e-4, seed=4)
def test_problem(xcheck):
    report = xcheck(PROBLEM)
    assert (report.tolerance, report.seed, report.oracle.engine) == (1e-4, 5, "loop")
"""
    run(tests).assert_outcomes(passed=2)


def test_a_model_that_is_wrong_fails(run: Run) -> None:
    """A path, a dict of tables and a Path are models; verify alone does not fail."""
    run.pytester.path.joinpath("model.toml").write_text(DEFINITION)
    tests = """
import tomllib
from pathlib import Path
from xcheck.backend import registry
from xcheck.testing import FAULTS, Planted

SPOILED = Planted(registry.get("numpy"), next(fault for fault in FAULTS if fault.name == "b1 x 4"))
MODELS = ["model.toml", Path("model.toml"), tomllib.loads(Path("model.toml").read_text())]

@pytest.mark.parametrize("model", MODELS)
def test_it(xcheck, model):
    assert not xcheck.verify(model, backends=[SPOILED])
    with pytest.raises(AssertionError, match="disagree"):
        xcheck.assert_model(model, backends=[SPOILED])
    xcheck(model, backends=[SPOILED])
"""
    result = run(tests, "-vv")
    result.assert_outcomes(failed=3)
    assert sum("disagree" in line for line in result.outlines if line.startswith("FAILED")) == 3
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_what_proves_nothing_fails(run: Run) -> None:
    """A loss that ignores its parameters; a call or a marker lets it pass, of functions and of models."""
    result = run(
        """
MODEL = {
    "data": {"synthetic": {"inputs": 1, "examples": 2}},
    "network": {"layers": [{"units": 1, "activation": "relu"}], "loss": "mean_squared_error"},
    "check": {"backends": ["numpy"]},
}

def nothing(p):
    return {"W": np.zeros((2, 3))}

def test_fails(xcheck):
    xcheck(lambda p: 1.0, P, gradient=nothing)

def test_call(xcheck):
    xcheck(lambda p: 1.0, P, gradient=nothing, allow_unproved=True)

@pytest.mark.xcheck(allow_unproved=True)
def test_marker(xcheck):
    xcheck(lambda p: 1.0, P, gradient=nothing)
    assert xcheck.assert_model(MODEL).ok
"""
    )
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(
        ["E * numpy agrees with the oracle, which proves nothing: the whole gradient is zero; allow_unproved=True *"]
    )


def test_a_case_brings_its_own_settings(run: Run) -> None:
    """They stand between the call and the marker; parameters beside it are a mistake."""
    tests = """
from xcheck import Case

CASE = Case(loss, P, settings={"gradient": right, "tolerance": 1e-5})

@pytest.mark.xcheck(tolerance=1e-4, seed=9)
def test_it(xcheck):
    report = xcheck(CASE)
    assert (report.tolerance, report.seed) == (1e-5, 9)
    assert xcheck(CASE, tolerance=1e-6).tolerance == 1e-6
    with pytest.raises(TypeError, match="brings its own"):
        xcheck(CASE, P)
    with pytest.raises(TypeError, match="brings its own"):
        xcheck("model.toml", data=(1,))
"""
    run(tests).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ("tolerence=1e-6", "marker xcheck: unknown setting 'tolerence'; did you mean 'tolerance'?"),
        ("1e-6", "marker xcheck: 1e-06 needs a name, such as tolerance=1e-6"),
    ],
)
def test_mistakes_in_a_marker_are_told(run: Run, marker: str, text: str) -> None:
    """Before the test begins, without a traceback."""
    result = run(f"\n@pytest.mark.xcheck({marker})" + FAILS)
    result.assert_outcomes(errors=1)
    assert text in result.outlines
    assert not [line for line in result.outlines if line.startswith("E ")]


def test_mistakes_in_the_pyproject_are_told(run: Run) -> None:
    """With their place."""
    run.pytester.makepyprojecttoml("[tool.xcheck]\ntolerence = 1e-3")
    result = run(FAILS)
    result.stdout.fnmatch_lines(["*pyproject.toml:2:1: tool.xcheck.tolerence: unknown key; did you mean 'tolerance'?"])


# --- the run as a whole ---------------------------------------------------------------------------------------------


def test_the_plug_in_is_there_once_with_marker_and_fixture(run: Run) -> None:
    """By whatever way it was registered."""
    tests = """
def test_it(pytestconfig):
    plugins = [str(getattr(p, "__name__", "")) for p in pytestconfig.pluginmanager.get_plugins()]
    assert plugins.count("xcheck.pytest_plugin") == 1
"""
    run(tests).assert_outcomes(passed=1)
    run("", "--markers").stdout.fnmatch_lines(["@pytest.mark.xcheck(*settings): defaults of the fixture*"])
    run("", "--fixtures").stdout.fnmatch_lines(["xcheck -- *pytest_plugin.py:*"])


def test_runs_that_do_not_use_it_stay_light(pytester: pytest.Pytester) -> None:
    """With the plug-in loaded, no framework and nothing heavy is imported before a test asks for it."""
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert "xcheck.pytest_plugin" in sys.modules
            heavy = {"numpy", "jax", "jaxlib", "torch", "rich", "pydantic", "click", "xcheck.checks.functions.check"}
            assert not heavy & set(sys.modules)
            assert 1 == 2
        """
    )
    result = pytester.runpytest_subprocess(*OPTIONS)
    result.stdout.fnmatch_lines(["E       assert 1 == 2"])


def test_workers_tell_the_same(run: Run) -> None:
    """With pytest-xdist the report comes back from a worker, as wide as the terminal of the run."""
    run.pytester.makepyfile(test_it=LOSSES + FAILS)
    result = run.pytester.runpytest_subprocess(*OPTIONS, "-n", "2", "-vv")
    result.assert_outcomes(failed=1)
    assert f"E       {HEADLINE}" in result.outlines
    assert f"DISAGREE  loss: {HEADLINE}" in result.outlines
    assert f"FAILED test_it.py::test_it - {HEADLINE}" in result.outlines


def test_junit_has_headline_and_report(run: Run) -> None:
    """For CI: the message is the headline, the text holds the report."""
    run(FAILS, "--junit-xml=junit.xml")
    text = (run.pytester.path / "junit.xml").read_text()
    assert f'message="{HEADLINE}"' in text
    assert "worst components" in text


def test_a_mismatch_survives_pickling() -> None:
    """With its report, in a pool of processes."""
    report = check(lambda p: float((p**2).sum()), np.ones(2), gradient=lambda p: 3 * p)
    for twin in (pickle.loads(pickle.dumps(GradientMismatch(report))), copy.copy(GradientMismatch(report))):  # noqa: S301 - our own
        assert twin.report == report
        assert str(twin) == f"{report.headline}\n\n{report}"


def test_the_example_of_the_page_runs(run: Run) -> None:
    """One test passes, one fails with the line shown."""
    page = ROOT / "docs" / "how-to" / "pytest.md"
    example = block_of(page, "python", "def test_forgotten_square")
    (shown,) = re.findall(r"^(FAILED .*)$", block_of(page, "console", "$ pytest"), flags=re.MULTILINE)
    folder = run.pytester.mkdir("models")
    (folder / "small.toml").write_text(DEFINITION)
    run.pytester.makepyfile(test_gradients=example)
    result = run.pytester.runpytest_inprocess(*OPTIONS, "-vv")
    result.assert_outcomes(failed=1, passed=2)
    assert shown in result.outlines


def test_definitions_that_are_not_there_fail_in_their_place(run: Run) -> None:
    """Once one pattern without a match stopped the collection of the whole file."""
    tests = """
from xcheck.testing import cases

@pytest.mark.parametrize("model", cases("models/*.toml"))
def test_models(model):
    pass

def test_it(xcheck):
    xcheck(loss, P, gradient=right)
"""
    result = run(tests)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*no definition (.toml) matches 'models/*.toml' in *"])
