"""Ctrl-C where Python or JAX would swallow it."""

from pathlib import Path

from tests.cli.test_main import INTERRUPTING, run
from tests.conftest import Plugins


def test_an_interrupt_that_is_swallowed_is_remembered(folder: Path, plugins: Plugins) -> None:
    """Where it falls into a callback that ignores exceptions, the run still ends with 130 and no verdict."""
    swallowing = INTERRUPTING.replace(
        "        os.kill(os.getpid(), signal.SIGINT)",
        "        try:\n            os.kill(os.getpid(), signal.SIGINT)\n        except KeyboardInterrupt:\n"
        "            return super().network_objective(problem, **settings)",
    )
    plugins.add("interrupting", swallowing)
    done = run("model.toml", "--backend", "interrupting", folder=folder)
    assert (done.returncode, done.stdout) == (130, "")


def test_an_interrupt_in_jaxs_callback_comes_again(folder: Path, plugins: Plugins) -> None:
    """An exception that falls into the garbage collector's callback is swallowed: the signal is sent once more."""
    swallowing = INTERRUPTING.replace(
        "        os.kill(os.getpid(), signal.SIGINT)",
        "        def _xla_gc_callback():\n            os.kill(os.getpid(), signal.SIGINT)\n"
        "        try:\n            _xla_gc_callback()\n        except KeyboardInterrupt:\n            pass\n"
        "        import time\n        time.sleep(600)",
    )
    plugins.add("interrupting", swallowing)
    done = run("model.toml", "--backend", "interrupting", folder=folder)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "interrupted")
