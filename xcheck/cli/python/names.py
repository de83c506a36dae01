"""Bindings: at which lines of a module's text its names are given their values."""

import ast
import inspect
from collections import defaultdict
from dataclasses import dataclass, field
from types import ModuleType


@dataclass(slots=True)
class Binding:
    """Where a name is bound at module level.

    Attributes:
        lines: all of them.
        cases: those that visibly make a case.
    """

    lines: list[int] = field(default_factory=list)
    cases: list[int] = field(default_factory=list)


def bindings_of(module: ModuleType) -> defaultdict[str, Binding]:
    """Return where the names of a module are bound, as far as its text tells."""
    found: defaultdict[str, Binding] = defaultdict(Binding)
    try:
        text = inspect.getsource(module)
    except (OSError, TypeError):
        return found  # an extension, or a namespace
    for statement in ast.parse(text).body:
        for name, visibly in _bound(statement):
            found[name].lines.append(statement.lineno)
            if visibly:
                found[name].cases.append(statement.lineno)
    return found


def _bound(statement: ast.stmt) -> list[tuple[str, bool]]:
    """Return the names that a statement binds, and whether it visibly makes a case of them."""
    match statement:
        case ast.FunctionDef(name=name, decorator_list=decorators):
            return [(name, any(map(_says_case, decorators)))]
        case ast.Assign(targets=targets, value=value):
            return [(ast.unparse(target), _makes_case(value)) for target in targets]
        case ast.AnnAssign(target=target, value=value):
            return [(ast.unparse(target), _makes_case(value))]
    return []


def _makes_case(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and _says_case(node.func)


def _says_case(node: ast.expr) -> bool:
    """Return whether an expression reads `case`, `xcheck.case`, `Case` or `xcheck.Case`."""
    return ast.unparse(node).rpartition(".")[2].lower() == "case"
