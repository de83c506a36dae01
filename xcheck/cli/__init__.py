"""The command line."""

from xcheck.cli.main import main

__all__ = ["main"]
