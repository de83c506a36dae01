"""Case: functions with the point they are to be checked at, as a Python file offers them to the command line.

```python
import xcheck

@xcheck.case
def mine():
    return xcheck.Case(objectives=loss, params={"W": W, "b": b}, data=(x, y))
```
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from xcheck.checks.functions.check import FunctionCheck, prepare_functions
from xcheck.checks.functions.implementations import Objectives
from xcheck.checks.report import Report
from xcheck.checks.settings import complaints_about
from xcheck.errors import Complaint, DefinitionError

Offer = TypeVar("Offer", bound=Callable[..., Any])

_MARK = "__xcheck_case__"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What `xcheck.check` is to be called with.

    Attributes:
        objectives: as in `xcheck.check`.
        params: as in `xcheck.check`.
        data: as in `xcheck.check`.
        settings: further arguments of `xcheck.check`, such as {"tolerance": 1e-6}.
    """

    objectives: Objectives
    params: Any = None
    data: Any = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def check(self, **settings: Any) -> Report:
        """Check it; `settings` override its own.

        Raises:
            DefinitionError: as from `xcheck.check`, and for settings that it does not know.
        """
        return replace(self, settings={**self.settings, **settings}).prepared().run().report

    def prepared(self, only: Sequence[str] = ()) -> FunctionCheck:
        """Read and validate it.

        Args:
            only: frameworks or labels of the functions to check; empty for all of them.

        Raises:
            DefinitionError: its settings or arguments cannot be used, or no function is left.
            BackendError: a framework is not installed.
        """
        complaints = self.complaints()
        if complaints:
            raise DefinitionError(complaints)
        return prepare_functions(self.objectives, self.params, self.data, self.settings, only)

    def complaints(self) -> list[Complaint]:
        """Return what is wrong with its settings."""
        return [complaint.under("settings") for complaint in complaints_about(self.settings)]


def case(function: Offer) -> Offer:
    """Mark a function without arguments that returns a `Case`, so that `python -m xcheck FILE` finds it."""
    # A mark, not a registry: discovery must not depend on which modules have been imported.
    setattr(function, _MARK, True)
    return function


def is_case(value: Any) -> bool:
    """Return whether a module's attribute is a `Case`, or a function that is marked to return one."""
    return isinstance(value, Case) or (callable(value) and getattr(value, _MARK, False) is True)
