"""The command line: `python -m xcheck MODEL...`; beside it `explain`, `selftest`, `accuracy`, `init`, `backends`.

Reports go to standard output; progress, warnings and errors go to standard error. Exit status: 0 AGREE, 1 DISAGREE,
2 usage or definition, 3 UNDECIDED, 4 ERROR, 130 interrupted. What a person's own code prints goes to standard error as
well, since it is no report.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from xcheck import __version__
from xcheck.cli.accuracy import accuracy
from xcheck.cli.backends import backends
from xcheck.cli.check import check
from xcheck.cli.explain import explain
from xcheck.cli.init import init
from xcheck.cli.selftest import selftest
from xcheck.errors import BackendError, DefinitionError

_FAILED = 4  # as for the verdict ERROR
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class _ReaderGone(Exception):  # noqa: N818 - no error of ours
    """The reader of standard output has gone (`xcheck ... | head`)."""


class _CheckByDefault(click.Group):
    """A group whose first argument may be left out: `xcheck MODEL` is `xcheck check MODEL`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; if the reader has gone, click itself would exit with 1, which means DISAGREE."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                # Here, where a broken pipe is still ours to report, and not while Python shuts down.
                sys.stdout.flush()
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {"--help", "-h", "--version"}
        # A file that is called like a command can be given as ./check. Without arguments, click prints the help.
        if args and args[0] not in self.commands and args[0] not in options:
            _refuse_unknown_command(args[0], list(self.commands))
            args = ["check", *args]
        return super().parse_args(ctx, args)


def _refuse_unknown_command(word: str, commands: Sequence[str]) -> None:
    """Complain about a word that is more like a command than like a MODEL.

    Raises:
        click.UsageError: it is one; the message has what to type.
    """
    # A MODEL has a suffix, a colon, or is there.
    if not word.isidentifier() or Path(word).exists():
        return
    if word == "train":
        raise click.UsageError(
            "there is no command train: a definition with [training], such as training.toml, is trained, and checked "
            "along the way, by python -m xcheck training.toml"
        )
    close = get_close_matches(word, commands, n=1)
    if close:
        raise click.UsageError(f"there is no command and no file {word}; did you mean {close[0]}?")


@click.group(cls=_CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xcheck")
def cli() -> None:
    """Check gradients against differences of the loss, and name the component that is wrong, with proof.

    `xcheck MODEL...` is short for `xcheck check MODEL...`.
    """


cli.add_command(check)
cli.add_command(init)
cli.add_command(backends)
cli.add_command(explain)
cli.add_command(selftest)
cli.add_command(accuracy)


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        run_cli()
    except SystemExit as ended:
        if ended.code != _INTERRUPTED:
            raise
        # JAX may have been compiling when it was interrupted; that can crash an interpreter that shuts down in order.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)


def run_cli() -> None:
    """Run the command line in this process, and exit with its status by SystemExit."""
    try:
        cli.main(standalone_mode=False)
    except DefinitionError as error:
        for complaint in error.complaints:
            click.echo(str(complaint), err=True)
        sys.exit(2)
    except BackendError as error:
        # The MODEL is right, but the framework that it needs is missing or broken.
        click.echo(str(error), err=True)
        sys.exit(_FAILED)
    except click.ClickException as error:
        # click prints the usage of the command, and how to get its help.
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except _ReaderGone:
        # At exit Python flushes what is left, which would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_FAILED)
    except Exception:  # noqa: BLE001 - Python would exit with 1, and a crash must never look like DISAGREE
        traceback.print_exc()
        sys.exit(_FAILED)
