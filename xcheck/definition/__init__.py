"""Definitions: from a TOML file or a dict of the same shape to a Problem and the settings of its check."""

from xcheck.definition.load import Loaded, load, settings_for_problem
from xcheck.definition.schema import Check

__all__ = ["Check", "Loaded", "load", "settings_for_problem"]
