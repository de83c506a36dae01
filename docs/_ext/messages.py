"""Messages: every sentence that the program can print, read off its source.

A message is a text of at least three words in the code of the package, with what is put into it shown as `{name}`:
findings, caveats, complaints, errors, headlines and helps of options. Docstrings are none.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Code that prints; examples, and names of planted faults, are shown elsewhere.
SOURCES = ("xcheck", "backends")
_LEFT_OUT = ("xcheck/examples/", "xcheck/testing/", "backends/")
_WORDS = 3

# Calls by which a message is known, whatever its wording.
_KINDS = {
    "Finding": "finding or caveat",
    "Complaint": "mistake in what was handed over",
    "DefinitionError": "mistake in what was handed over",
    "PydanticCustomError": "mistake in a definition",
    "BackendError": "failure of a backend",
    "BadParameter": "mistake on the command line",
    "UsageError": "mistake on the command line",
    "ValueError": "error of Python",
    "option": "help of an option",
    "argument": "help of an option",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        text: as it is printed, with `{name}` for what is put in.
        kind: what it is used for, where the call tells; else "part of a report".
        line: where it stands in its file.
    """

    text: str
    kind: str
    line: int


def messages_in(source: str) -> list[Message]:
    """Return the messages in the source of a module, in its order.

    >>> [message.text for message in messages_in('raise ValueError(f"a layer needs {n} units")')]
    ['a layer needs {n} units']
    """
    tree = ast.parse(source)
    ignored = set(_docstrings(tree)) | set(_parts(tree))
    kinds = _kinds(tree)
    found = []
    for node in ast.walk(tree):
        if id(node) not in ignored and isinstance(node, ast.Constant | ast.JoinedStr):
            text = " ".join(_text(node).split())
            if _is_sentence(text):
                found.append(Message(text, kinds.get(id(node), "part of a report"), node.lineno))
    return sorted(found, key=lambda message: message.line)


def page() -> str:
    """Return the page of all messages, module by module."""
    parts = [
        (
            "# Messages\n\nEvery sentence that the program can print, as its source has it when this page is built; "
            "`{name}` stands for what\nis put in. Whoever changes one reads it aloud first: it must be understood at "
            "the first reading.\n"
        )
    ]
    files = sorted(file for source in SOURCES for file in (ROOT / source).rglob("*.py"))
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        found = [] if name.startswith(_LEFT_OUT) else messages_in(file.read_text(encoding="utf-8"))
        if found:
            rows = [f"| {message.line} | {message.kind} | {_literal(message.text)} |" for message in found]
            parts.append("\n".join([f"## `{name}`\n", "| line | what it is | message |", "|---:|---|---|", *rows, ""]))
    return "\n".join(parts)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.FormattedValue):
        return f"{{{ast.unparse(node.value)}}}"
    return "".join(_text(part) for part in node.values) if isinstance(node, ast.JoinedStr) else ""


def _is_sentence(text: str) -> bool:
    words = text.split()
    return len(words) >= _WORDS and sum(word.strip(".,:;()'\"").isalpha() for word in words) >= _WORDS - 1


def _docstrings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield id(statement.value)


def _parts(tree: ast.AST) -> Iterator[int]:
    """The texts inside of f-strings, which are shown as a whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in ast.walk(node) if part is not node)


def _kinds(tree: ast.AST) -> dict[int, str]:
    """What each text is used for: handed to a call that is known, or given a name that is handed to one later."""
    kinds: dict[int, str] = {}
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.FunctionDef | ast.Module):
            continue
        named: dict[str, str] = {}
        for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call) and _called(node) in _KINDS):
            kind = _KINDS[_called(call)]
            for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                kinds.update({id(node): kind for node in ast.walk(value)})
                named.update({node.id: kind for node in ast.walk(value) if isinstance(node, ast.Name)})
        for assignment in (node for node in ast.walk(scope) if isinstance(node, ast.Assign)):
            for target in assignment.targets:
                if isinstance(target, ast.Name) and target.id in named and isinstance(scope, ast.FunctionDef):
                    kinds.update({id(node): named[target.id] for node in ast.walk(assignment.value)})
    return kinds


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _literal(text: str) -> str:
    fence = "``" if "`" in text else "`"
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}".replace("|", "\\|")
