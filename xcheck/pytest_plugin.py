"""The pytest plug-in: fixture `xcheck`, marker `xcheck`, and failures whose first line stands alone.

It is loaded into every run of pytest where xcheck is installed, so it imports nothing of xcheck before a test asks for
it. Settings come from the call, then an `xcheck.Case`, then the closest marker, then a definition's own `[check]`, then
`[tool.xcheck]` of a pyproject.toml, then xcheck's defaults.
"""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest._code.code import ExceptionRepr, ReprEntry

if TYPE_CHECKING:
    from xcheck.assertions import GradientMismatch
    from xcheck.checks.functions.implementations import Objectives
    from xcheck.checks.networks.check import Model
    from xcheck.checks.report import Report

_MARKER = (
    "xcheck(**settings): defaults of the fixture `xcheck` for this test, such as tolerance=1e-6 or "
    'backends=["numpy", "jax"].'
)
_UNMATCHED = "xcheck_unmatched(text): set by xcheck.testing.cases for a pattern that matches no definition."
# What pytest prints before each line of an exception's text, by its own definition.
_MARGIN = "E   "
# The key under which workers of pytest-xdist are told the width of the terminal.
_WIDTH = "xcheck_width"
# As wide as a report without a terminal is everywhere else in xcheck.
_COLUMNS = 80


# --- the fixture ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checker:
    """The fixture `xcheck` in a test: the functions of xcheck, called with the defaults of the test.

    Attributes:
        marked: settings of the markers of the test.
        root: pytest's rootdir. Functions and an `xcheck.Problem` take defaults from the nearest pyproject.toml there or
            above; a definition takes them from the nearest one beside or above itself.
    """

    marked: Mapping[str, Any]
    root: Path = field(repr=False)

    def __call__(self, subject: Any, params: Any = None, data: Any = (), **settings: Any) -> "Report":
        """Check a model, a case or functions, and fail unless all agree.

        Args:
            subject: a model as `assert_model` takes it (a dict is one when it holds tables), an `xcheck.Case`, or
                functions as `assert_gradients` takes them.
            params: the parameters of functions, as `assert_gradients` takes them.
            data: the data of functions, likewise.
            **settings: settings of `assert_model` or `assert_gradients`, whichever takes the subject.

        Raises:
            GradientMismatch: something disagrees, cannot be decided, or fails, or nothing is proved.
            TypeError: params or data for a model or a case, which bring their own.
        """
        # pytest then shows the line of the test that called this, and not this one.
        __tracebackhide__ = True
        from xcheck.checks.case import Case

        if not isinstance(subject, Case) and not _is_model(subject):
            return self.assert_gradients(subject, params, data, **settings)
        if params is not None or not isinstance(data, tuple) or data:
            raise TypeError("params and data belong to functions: a model, or a case, brings its own")
        # What is typed in the call is closest to the test, and wins over the case.
        if isinstance(subject, Case):
            settings = {**subject.settings, **settings}
            return self.assert_gradients(subject.objectives, subject.params, subject.data, **settings)
        return self.assert_model(subject, **settings)

    def check(self, objectives: "Objectives", params: Any = None, data: Any = (), **settings: Any) -> "Report":
        """Call `xcheck.check`, which does not fail."""
        __tracebackhide__ = True
        from xcheck.api import check

        return check(objectives, params, data, **{**self._defaults_for_functions(), **settings})

    def assert_gradients(
        self, objectives: "Objectives", params: Any = None, data: Any = (), **settings: Any
    ) -> "Report":
        """Call `xcheck.assert_gradients`, which fails unless all agree and something is proved."""
        __tracebackhide__ = True
        from xcheck.assertions import assert_gradients

        settings = {**self._defaults_for_functions(), **self._defaults_for_proof(), **settings}
        return assert_gradients(objectives, params, data, **settings)

    def verify(self, model: "Model", **settings: Any) -> "Report":
        """Call `xcheck.verify`, which does not fail."""
        __tracebackhide__ = True
        from xcheck.api import verify

        return verify(model, **{**self._defaults_for_model(model), **settings})

    def assert_model(self, model: "Model", *, allow_unproved: bool | None = None, **settings: Any) -> "Report":
        """Call `xcheck.verify`, and fail unless all agree and something is proved."""
        __tracebackhide__ = True
        from xcheck.assertions import require_proof

        proof = self._defaults_for_proof() if allow_unproved is None else {"allow_unproved": allow_unproved}
        return require_proof(self.verify(model, **settings), **proof)

    def _defaults_for_proof(self) -> dict[str, Any]:
        """Return what a marker says of checks that prove nothing."""
        return _select(self.marked, _proof_settings())

    def _defaults_for_functions(self) -> dict[str, Any]:
        """Return the defaults that `check` takes."""
        from xcheck.networks.definition import project_settings

        return _select({**project_settings(self.root), **self.marked}, _function_settings())

    def _defaults_for_model(self, model: "Model") -> dict[str, Any]:
        """Return the defaults that `verify` takes; it finds the pyproject.toml of a definition itself."""
        from xcheck.networks.definition import DRAWN, project_settings
        from xcheck.networks.problem import Problem

        if not isinstance(model, Problem):  # a definition: `verify` reads the pyproject.toml beside it
            return _select(self.marked, _model_settings())
        return _select({**project_settings(self.root), **self.marked}, _model_settings() - set(DRAWN))


def _is_model(subject: object) -> bool:
    """Return whether a subject is a model; a dict is one if it has tables, and otherwise holds functions."""
    from xcheck.networks.problem import Problem

    if isinstance(subject, Mapping):
        return any(isinstance(value, Mapping) for value in subject.values())
    return isinstance(subject, str | Path | Problem)


def _select(settings: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    # One marker may stand above tests of models and of functions, whose settings are not all the same.
    return {name: value for name, value in settings.items() if name in known}


def _function_settings() -> set[str]:
    from xcheck.api import check

    return _keyword_names(check)


def _model_settings() -> set[str]:
    from xcheck.api import verify
    from xcheck.networks.definition import ProjectSettings

    return _keyword_names(verify) | set(ProjectSettings.model_fields)


def _proof_settings() -> set[str]:
    from xcheck.assertions import require_proof

    return _keyword_names(require_proof)


def _keyword_names(function: Any) -> set[str]:
    """Return the names of the parameters that a function takes by keyword only."""
    return set(function.__kwdefaults__)


@pytest.fixture
def xcheck(request: pytest.FixtureRequest) -> Checker:
    """Check gradients: `xcheck(loss, params, data)` or `xcheck("model.toml")` fails unless all agree.

    Also `.check`, `.assert_gradients`, `.verify` and `.assert_model`, with the settings of the marker `xcheck` and of
    `[tool.xcheck]` as defaults.
    """
    marked: dict[str, Any] = {}
    for marker in request.node.iter_markers("xcheck"):  # the closest first
        _refuse_mistakes(marker)
        marked = {**marker.kwargs, **marked}
    return Checker(marked, request.config.rootpath)


def _refuse_mistakes(marker: pytest.Mark) -> None:
    from xcheck.text import did_you_mean

    if marker.args:
        pytest.fail(f"marker xcheck: {marker.args[0]!r} needs a name, such as tolerance=1e-6", pytrace=False)
    known = sorted(_function_settings() | _model_settings() | _proof_settings())
    mistakes = [f"unknown setting {name!r}{did_you_mean(name, known)}" for name in marker.kwargs if name not in known]
    if mistakes:
        pytest.fail("\n".join(f"marker xcheck: {mistake}" for mistake in mistakes), pytrace=False)


# --- the run --------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, also under --strict-markers."""
    config.addinivalue_line("markers", _MARKER)
    config.addinivalue_line("markers", _UNMATCHED)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a test fail whose definitions were not found: without parameters it would pass in silence."""
    marker = item.get_closest_marker("xcheck_unmatched")
    if marker is not None:
        pytest.fail(marker.args[0], pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist, which has no terminal, how wide the terminal is."""
    node.workerinput[_WIDTH] = _find_width(node.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show the headline of a wrong gradient as the failure, and its report below the test's own code."""
    outcome = yield
    # A test that has not imported xcheck.assertions cannot have raised its exception, and need not wait for the import.
    assertions = sys.modules.get("xcheck.assertions")
    error = call.excinfo.value if call.excinfo else None
    if assertions and isinstance(error, assertions.GradientMismatch) and isinstance(outcome.longrepr, ExceptionRepr):
        _show_report(outcome.longrepr, error, _find_width(item.config))
    return outcome


def _show_report(shown: ExceptionRepr, error: "GradientMismatch", width: int) -> None:
    """Replace the exception's text by its headline, and add the report at the terminal's width."""
    from xcheck.report.text import render

    if shown.reprcrash is not None:
        shown.reprcrash.message = error.headline  # the short summary, --tb=line, JUnit's message
    last = shown.reprtraceback.reprentries[-1]
    if not isinstance(last, ReprEntry):  # --tb=native has one text, which holds the report already
        return
    # The text of the exception is the whole report, which pytest would print line by line behind its margin.
    start, first = next((place, line) for place, line in enumerate(last.lines) if line.startswith(_MARGIN))
    # Behind the margin, the headline stands where the text stood.
    indent = len(first) - len(first[1:].lstrip())
    last.lines = [*last.lines[:start], first[:indent] + error.headline]
    if last.style != "line":
        shown.addsection("xcheck", render(error.report, width=width))


def _find_width(config: pytest.Config) -> int:
    if config.pluginmanager.has_plugin("terminalreporter"):
        return config.get_terminal_writer().fullwidth
    return int(vars(config).get("workerinput", {}).get(_WIDTH, _COLUMNS))
