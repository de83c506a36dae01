"""Names: the lines of a module's text at which its names are bound."""

import ast
import inspect
from collections import defaultdict
from dataclasses import dataclass, field
from types import ModuleType


@dataclass(slots=True)
class Binding:
    """The lines that bind a name at module level.

    Attributes:
        lines: all of them.
        cases: those whose text makes a case.
    """

    lines: list[int] = field(default_factory=list)
    cases: list[int] = field(default_factory=list)


def bindings_of(module: ModuleType) -> defaultdict[str, Binding]:
    """Return the lines that bind each name of a module; none where its text is not known."""
    bindings: defaultdict[str, Binding] = defaultdict(Binding)
    try:
        text = inspect.getsource(module)
    except (OSError, TypeError):
        return bindings  # an extension, or a namespace
    for statement in ast.parse(text).body:
        for name, makes_case in _list_bound_names(statement):
            bindings[name].lines.append(statement.lineno)
            if makes_case:
                bindings[name].cases.append(statement.lineno)
    return bindings


def _list_bound_names(statement: ast.stmt) -> list[tuple[str, bool]]:
    """Return the names that a statement binds, each with whether its text makes a case of it."""
    match statement:
        case ast.FunctionDef(name=name, decorator_list=decorators):
            # The first line is that of `def`, where editors jump to.
            return [(name, any(map(_reads_case, decorators)))]
        case ast.Assign(targets=targets, value=value):
            return [(ast.unparse(target), _makes_case(value)) for target in targets]
        case ast.AnnAssign(target=target, value=value):
            return [(ast.unparse(target), _makes_case(value))]
    return []


def _makes_case(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and _reads_case(node.func)


def _reads_case(node: ast.expr) -> bool:
    """Return whether an expression reads `case`, `xcheck.case`, `Case` or `xcheck.Case`."""
    return ast.unparse(node).rpartition(".")[2].lower() == "case"
