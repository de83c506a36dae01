"""Result: what every verb of xcheck returns: a value with a verdict that can be printed, and written as JSON and HTML.

A result does not know its formats: it asks `renderer(kind, form)`, and `RENDERERS` below is the only place that knows
where formats live. A new format is one module in `xcheck.report` and one row here.
"""

from collections.abc import Callable
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from xcheck.verdict import Verdict

Kind = Literal["check", "training", "component", "selftest", "accuracy"]
Form = Literal["text", "console", "json", "html", "fragment"]

# Per form and kind of result "module:function", which takes the result, "console" a console of rich to print on, too.
RENDERERS: dict[Form, dict[Kind, str]] = {
    "text": {
        "check": "xcheck.report.text:render",
        "training": "xcheck.report.training:render",
        "component": "xcheck.report.component:render",
        "selftest": "xcheck.report.selftest:render",
        "accuracy": "xcheck.report.accuracy:render",
    },
    "console": {
        "check": "xcheck.report.text:show",
        "training": "xcheck.report.training:show",
        "component": "xcheck.report.component:show",
        "selftest": "xcheck.report.selftest:show",
        "accuracy": "xcheck.report.accuracy:show",
    },
    "json": {
        "check": "xcheck.report.json:as_dict",
        "training": "xcheck.report.training:as_dict",
        "component": "xcheck.report.component:as_dict",
        "selftest": "xcheck.report.selftest:as_dict",
        "accuracy": "xcheck.report.accuracy:as_dict",
    },
    "html": dict.fromkeys(get_args(Kind), "xcheck.report.html:page"),
    "fragment": dict.fromkeys(get_args(Kind), "xcheck.report.html:fragment"),
}


def renderer(kind: Kind, form: Form) -> Callable[..., Any]:
    """Return the function that renders results of this kind in this form."""
    # Imported when it is asked for: a check in a test suite never needs rich.
    module, name = RENDERERS[form][kind].split(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


class Result:
    """A value with a verdict, that knows how to be shown.

    Attributes:
        kind: which of the results it is; decides how it is rendered.
        model: name of what was looked at.
        verdict: what came of it; decides the exit status.
        headline: what came of it in one sentence.
    """

    __slots__ = ()

    kind: ClassVar[Kind]

    if TYPE_CHECKING:  # fields in some results, properties in others; a dataclass takes a property for a default

        @property
        def model(self) -> str:
            """Name of what was looked at."""

        @property
        def verdict(self) -> Verdict:
            """What came of it."""

        @property
        def headline(self) -> str:
            """What came of it, in one sentence."""

    @property
    def ok(self) -> bool:
        """Whether everything agrees; UNDECIDED is not ok."""
        return self.verdict is Verdict.AGREE

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        text: str = renderer(self.kind, "text")(self)
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain dicts, lists, strings and numbers (the JSON schema)."""
        content: dict[str, Any] = renderer(self.kind, "json")(self)
        return content

    def to_json(self) -> str:
        """Return it as one line of JSON; numbers that are not finite become strings."""
        # By name, as all renderers: the floors forbid a result to know its formats.
        line = import_module("xcheck.report.json").dump_line
        text: str = line(self.to_dict())
        return text

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write it into a file as a whole HTML page, which needs no other file."""
        Path(path).write_text(renderer(self.kind, "html")(self), encoding="utf-8")

    def _repr_html_(self) -> str:
        text: str = renderer(self.kind, "fragment")(self)
        return text
