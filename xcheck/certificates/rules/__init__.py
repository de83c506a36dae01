"""What an operation of a trace does to balls: one small function each, registered by the operation's name."""

from importlib import import_module
from pkgutil import iter_modules

from xcheck.certificates.rules.registry import RULES, Rule

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["RULES", "Rule"]
