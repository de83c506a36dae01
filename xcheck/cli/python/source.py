"""Source: the Python file or module that a MODEL names, and how it is loaded.

`model.py`, `model.py::name`, `package.module:name`. Loading runs the code. A file's folder, or the current one, can be
imported from while any of it runs, as with `python model.py` and `python -m package.module`.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import count
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from xcheck.checks.tracebacks import is_library, own_line, own_traceback
from xcheck.errors import Complaint, DefinitionError

_FORMS = "a MODEL is a definition model.toml, a Python file model.py or model.py::name, or package.module:name"


@dataclass(frozen=True, slots=True)
class Reference:
    """A MODEL that is Python, taken apart.

    Attributes:
        source: the file, or the dotted name of the module.
        name: name of one case; None for all cases.
        is_file: whether the source is a file.
    """

    source: str
    name: str | None
    is_file: bool

    def command_name(self, name: str) -> str:
        """Return how a case of this source is typed on the command line."""
        return f"{self.source}{'::' if self.is_file else ':'}{name}"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file or module that has been loaded.

    Attributes:
        reference: the MODEL, taken apart.
        module: the loaded module.
        file: the file of its code; None if Python does not know it.
        shown: the name of the file in messages.
        path: the folders in which Python looks for modules while code of this source runs.
    """

    reference: Reference
    module: ModuleType
    file: Path | None
    shown: str
    path: tuple[str, ...]

    def complaint(self, text: str, line: int | None = None) -> Complaint:
        """Return a mistake in this source."""
        return Complaint(text, file=self.shown, line=line)

    @contextmanager
    def running(self, what: str, line: int | None = None) -> Iterator[None]:
        """Let code of this source run within the context; an exception becomes a complaint.

        Args:
            what: the first words of the complaint.
            line: the line to name if the traceback has none of this file.

        Raises:
            DefinitionError: the code raises; it has the traceback through the person's own code.
        """
        with module_search_path(self.path), _complain_of_errors(what, self.shown, self.file, line):
            yield


def parse_reference(model: str) -> Reference | None:
    """Return the Python source that a MODEL names; None for a TOML definition.

    Raises:
        DefinitionError: the MODEL is written like neither.

    >>> parse_reference("model.py::mine")
    Reference(source='model.py', name='mine', is_file=True)
    >>> parse_reference("package.module:mine").command_name("mine")
    'package.module:mine'
    """
    suffix, exists = Path(model).suffix, Path(model).exists()
    # A colon is part of the name of a file that exists; else it may separate a case from a mistyped source.
    if suffix == ".py" and (exists or ":" not in model):
        return Reference(model, None, is_file=True)
    # A file that is not Python is read as a definition, whatever it is called.
    if suffix == ".toml" or exists:
        return None
    file, mark, name = model.rpartition("::")
    if mark and file.endswith(".py") and name.isidentifier():
        return Reference(file, name, is_file=True)
    module, mark, name = model.partition(":")
    # model.py:name is a slip for model.py::name, not the module `py` of a package `model`.
    if not module.endswith(".py") and name.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        return Reference(module, name, is_file=False)
    raise DefinitionError(Complaint(_FORMS + _guess_meaning(model), file=model))


def load_source(reference: Reference) -> Source:
    """Load a file or a module, which runs its code.

    Raises:
        DefinitionError: the file or module does not exist, or its code raises an exception.
    """
    return _load_file(reference) if reference.is_file else _load_module(reference)


@contextmanager
def module_search_path(path: Sequence[str]) -> Iterator[None]:
    """Let Python search `path` for modules within the context; afterwards it searches where it did before."""
    before = list(sys.path)
    # In place, for other code may hold on to this very list.
    sys.path[:] = path
    try:
        yield
    finally:
        sys.path[:] = before


def _guess_meaning(model: str) -> str:
    """Return a hint where a suffix is missing, or two of the forms of a MODEL are mixed, such as model.py:name."""
    there = [f"{model}{suffix}" for suffix in (".toml", ".py") if Path(f"{model}{suffix}").is_file()]
    if there:
        return f"; did you mean {' or '.join(there)}?"
    source, _, name = model.replace("::", ":").partition(":")
    if not source or not name.isidentifier():
        return ""
    return f"; write {source}{'::' if source.endswith('.py') else ':'}{name}"


# --- files ----------------------------------------------------------------------------------------------------------

_numbers = count(1)


class _UncachedLoader(SourceFileLoader):
    """Compiles a file anew each time: it writes no cache beside the file, and reads no older one."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _load_file(reference: Reference) -> Source:
    shown, file = reference.source, Path(reference.source).resolve()
    try:
        # Opened only to see that it can be: what the loader raises would be blamed on the code in the file.
        with file.open("rb"):
            pass
    except OSError as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise DefinitionError(Complaint(f"cannot read: {what}", file=shown)) from error
    # A name that nothing else has: the same file may be loaded twice, and two files may have the same name.
    name = f"__xcheck_model_{next(_numbers)}__"
    loader = _UncachedLoader(name, str(file))
    spec = spec_from_loader(name, loader)
    assert spec is not None  # noqa: S101 - a loader of our own always has a spec; for the type checker
    module = module_from_spec(spec)
    with module_search_path([str(file.parent), *sys.path]):
        sys.modules[name] = module  # where dataclasses and pickle look for it
        try:
            with _complain_of_errors("fails while it is loaded", shown, file):
                loader.exec_module(module)
            # Only a file that has run shows what it has imported.
            _refuse_mixture(module, file, shown)
        # After Ctrl-C as well: half a module must not be found by anybody.
        except BaseException:
            del sys.modules[name]
            raise
        return Source(reference, module, file, shown, tuple(sys.path))


def _refuse_mixture(module: ModuleType, file: Path, shown: str) -> None:
    """Complain if the file has imported a module of another folder, and a module of the same name is beside it.

    Python keeps one module of each name: of two files in two folders, each with a helper.py, the second would get the
    helper of the first.
    """
    imported = [value for value in vars(module).values() if isinstance(value, ModuleType | FunctionType | type)]
    used = {str(getattr(value, "__module__", value.__name__)).partition(".")[0] for value in imported}
    for name in sorted(used):
        imported_file = getattr(sys.modules.get(name), "__file__", None)
        beside = [place for place in (file.parent / f"{name}.py", file.parent / name / "__init__.py") if place.exists()]
        if imported_file and beside and not is_library(imported_file) and Path(imported_file).resolve() not in beside:
            text = (
                f"{name} has been imported from {imported_file}, not from the {beside[0].name} beside this file: "
                "check the two in separate runs"
            )
            raise DefinitionError(Complaint(text, file=shown))


# --- modules --------------------------------------------------------------------------------------------------------


def _load_module(reference: Reference) -> Source:
    shown = reference.command_name(reference.name or "")
    with module_search_path([str(Path.cwd()), *sys.path]):
        with _complain_of_errors("fails while it is imported", shown, None):
            module = _import_module(reference.source)
        if isinstance(module, str):
            text = f"there is no module {module}, neither in the current folder nor installed"
            raise DefinitionError(Complaint(text, file=shown))
        # Built-in modules and namespace packages have none.
        file = getattr(module, "__file__", None)
        path = Path(file).resolve() if file else None
        return Source(reference, module, path, _shorten_path(path) if path else shown, tuple(sys.path))


def _import_module(name: str) -> ModuleType | str:
    """Return a module, or the name of the part of its dotted name that does not exist."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Another module that is missing inside the person's package is a failure of theirs.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        return error.name


def _shorten_path(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


@contextmanager
def _complain_of_errors(what: str, shown: str, file: Path | None, line: int | None = None) -> Iterator[None]:
    """Turn exceptions of a person's code within the context, also an exit, into a complaint with their traceback.

    Raises:
        DefinitionError: the code has raised something.
    """
    try:
        yield
    # Not KeyboardInterrupt: a person who presses Ctrl-C is obeyed.
    except (Exception, SystemExit) as error:
        place = None if file is None else own_line(error, file)
        text = f"{what}\n{own_traceback(error)}"
        raise DefinitionError(Complaint(text, file=shown, line=place or line)) from error
