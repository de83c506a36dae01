"""Reports: how each kind of result is shown as text, JSON and HTML; `xcheck.checks.result` knows which module does."""
