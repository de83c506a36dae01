"""The command line, as a process: exit statuses, streams, formats."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commands import SMALL
from tests.conftest import Plugins
from xcheck.version import __version__

SPOILED = """
from xcheck.testing import FAULTS, Planted
from xcheck_numpy import NumpyBackend

class Spoiled(NumpyBackend):
    name = "spoiled"

backend = Planted(Spoiled(), FAULTS[1])
"""
FAULTLESS = """
from xcheck_numpy import NumpyBackend

class Faultless(NumpyBackend):
    name = "crashing"
    pass

backend = Faultless()
"""
INTERRUPTING = """
import os, signal
from xcheck_numpy import NumpyBackend

class Interrupting(NumpyBackend):
    name = "interrupting"
    def network_objective(self, problem, **settings):
        os.kill(os.getpid(), signal.SIGINT)

backend = Interrupting()
"""
BROKEN = "raise ImportError('libcheese.so.1: cannot open shared object file')\n"


def run(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m xcheck` in a folder; standard output is a pipe."""
    variables = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "xcheck", *arguments],
        cwd=folder,
        env=variables | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_agree_is_0(folder: Path) -> None:
    """The report is on standard output, nothing on standard error."""
    done = run("model.toml", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("AGREE  model.toml: numpy agrees with the oracle on all 21 parameters\n")
    assert "tightest: " in done.stdout
    assert "again: " not in done.stdout


def test_check_may_be_spelled_out(folder: Path) -> None:
    """`xcheck check MODEL` is `xcheck MODEL`."""
    assert run("check", "model.toml", "-q", folder=folder).stdout == run("-q", "model.toml", folder=folder).stdout


def test_disagree_is_1(folder: Path, plugins: Plugins) -> None:
    """A witness with a fault, from a plug-in, is named in the first line."""
    plugins.add("spoiled", SPOILED)
    done = run("model.toml", "--backend", "spoiled", "--backend", "numpy", folder=folder)
    assert done.returncode == 1
    assert "odd one out: spoiled" in done.stdout
    assert "spoiled disagrees: b1[" in done.stdout


def test_undecided_is_3(folder: Path) -> None:
    """An infinite loss decides nothing."""
    import numpy as np

    np.savez(folder / "huge.npz", W1=np.ones((4, 3)), b1=np.ones(4), W2=np.full((1, 4), 1e200), b2=np.ones(1))
    text = SMALL.replace("[check]", 'weights = "huge.npz"\n[check]')
    (folder / "model.toml").write_text(text)
    done = run("model.toml", "-q", folder=folder)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == "UNDECIDED  model.toml: the loss is inf at this θ: there is no gradient to check\n"


def test_error_is_4(folder: Path, plugins: Plugins) -> None:
    """A broken backend never looks like a disagreement, and is quoted."""
    plugins.add("broken", BROKEN)
    done = run("model.toml", "--backend", "broken", "--backend", "numpy", "-q", folder=folder)
    assert done.returncode == 4
    assert done.stdout.startswith("ERROR  model.toml: broken: the plug-in plugin_broken:backend is broken")
    assert "libcheese.so.1" in done.stdout


def test_a_crash_is_4_and_never_looks_like_a_disagreement(folder: Path, plugins: Plugins) -> None:
    """Python's own exit status of a traceback is 1, which means DISAGREE here."""
    crashing = FAULTLESS.replace("pass", "def versions(self): return {'odd': object()}")
    plugins.add("crashing", crashing)
    done = run("model.toml", "--backend", "crashing", "--format", "json", folder=folder)
    assert (done.returncode, done.stdout) == (4, "")
    assert "not JSON serializable" in done.stderr


def test_interrupted_is_130(folder: Path, plugins: Plugins) -> None:
    """Ctrl-C ends it without a traceback."""
    plugins.add("interrupting", INTERRUPTING)
    done = run("model.toml", "--backend", "interrupting", folder=folder)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "interrupted")


def test_the_worst_of_several_decides(folder: Path, plugins: Plugins) -> None:
    """Each MODEL has its report, in the order given."""
    plugins.add("spoiled", SPOILED)
    (folder / "wrong.toml").write_text(SMALL.replace('"numpy"', '"spoiled"'))
    done = run("-q", "wrong.toml", "model.toml", folder=folder)
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["DISAGREE", "AGREE"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.toml"], "missing.toml: cannot read: no such file\n"),
        (["model.toml", "--tolerance", "-1"], "tolerance: must be greater than 0"),
        (["model.toml", "--epsilon", "0"], 'epsilon: expected "auto" or a positive number'),
        (["model.toml", "--backend", "torhc"], "unknown backend 'torhc'; did you mean 'torch'?"),
        (["model.toml", "--examples", "0"], "examples: must be at least 1"),
        (["model.toml", "--epsilon", "small"], "expected auto or a number"),
        (["model.toml", "--dtype", "float16"], "'float16' is not one of"),
        (["model.toml", "--colour", "never"], "No such option"),
        (["init", "mnist"], "'mnist' is not one of"),
        (["model.toml", "--output", "no/such/folder.json"], "No such file or directory"),
        (["train", "model.toml"], "is trained, and checked along the way, by python -m xcheck training.toml"),
        (["selftset", "model.toml"], "there is no command and no file selftset; did you mean selftest?"),
        (["model"], "or package.module:name; did you mean model.toml?"),
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str], message: str, folder: Path) -> None:
    """The mistake is on standard error, and nothing is on standard output."""
    done = run(*arguments, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gpu_that_is_not_there_is_2(folder: Path) -> None:
    """Asked for by flag, refused with what to type instead."""
    done = run("model.toml", "--device", "gpu", folder=folder, environment={"JAX_PLATFORMS": "cpu"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "JAX finds no gpu on this machine; use device = 'cpu'" in done.stderr


def test_a_pipe_gets_plain_text(folder: Path) -> None:
    """No escape sequences, no trailing blanks, no progress bar."""
    done = run("model.toml", folder=folder)
    assert "\x1b" not in done.stdout + done.stderr
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_color_always_colours_a_pipe(folder: Path) -> None:
    """AGREE is green, and the text is the same."""
    done = run("model.toml", "-q", "--color", "always", folder=folder, environment={"TERM": "xterm-256color"})
    assert done.stdout.startswith("\x1b[1;32mAGREE\x1b[0m")


def on_a_terminal(*arguments: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run with both streams on a terminal and return what appears on it."""
    control, terminal = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "xcheck", *arguments],
        cwd=folder,
        env=variables | {"TERM": "xterm-256color", **environment},
        stdout=terminal,
        stderr=terminal,
        stdin=terminal,
    ) as process:
        os.close(terminal)
        seen = b""
        while True:
            try:
                block = os.read(control, 4096)
            except OSError:  # the other end was closed
                break
            if not block:
                break
            seen += block
        process.wait(timeout=120)
    os.close(control)
    return seen.decode()


def test_a_terminal_gets_colours_and_a_progress_bar(folder: Path) -> None:
    """Colour for the verdict, a bar while the oracle works, gone when it is done."""
    seen = on_a_terminal("model.toml", folder=folder, environment={"COLUMNS": "100"})
    assert "\x1b[1;32mAGREE" in seen
    assert "model.toml: differences" in seen


def test_no_color_is_respected_on_a_terminal(folder: Path) -> None:
    """NO_COLOR takes the colours away and leaves the words."""
    seen = on_a_terminal("model.toml", "-q", folder=folder, environment={"NO_COLOR": "1", "COLUMNS": "100"})
    assert "\x1b[1;32m" not in seen
    assert "AGREE" in seen


@pytest.mark.parametrize("columns", [40, 60])
def test_narrow_terminals_fold_and_cut_nothing(columns: int, folder: Path) -> None:
    """At 40 columns every line fits, and no word is replaced by dots."""
    done = run("model.toml", "-v", folder=folder, environment={"COLUMNS": str(columns)})
    assert max(len(line) for line in done.stdout.splitlines()[:-1]) <= columns
    assert "…" not in done.stdout


def test_a_reader_that_stops_reading_is_no_traceback(folder: Path) -> None:
    """`xcheck ... | head -1` ends in silence."""
    command = f"{sys.executable} -m xcheck model.toml -v | head -1"
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S602 - a pipe needs a shell
    assert done.stdout.startswith("AGREE")
    assert done.stderr == ""


def test_a_reader_that_has_gone_is_no_disagreement(folder: Path) -> None:
    """`xcheck ... | true`: nothing was read, and the status is not 1."""
    command = f"{sys.executable} -m xcheck model.toml | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S607 - a pipe needs a shell
    assert (done.stdout, done.stderr) == ("4\n", "")


def test_version_and_help(folder: Path) -> None:
    """--version and --help answer at once."""
    assert run("--version", folder=folder).stdout == f"xcheck, version {__version__}\n"
    assert "MODEL..." in run("--help", folder=folder).stdout
    assert "--tolerance" in run("check", "--help", folder=folder).stdout
