"""How Sphinx builds the site: `make docs` writes it to build/docs, as static files that need nothing from elsewhere."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# `docs._ext` and the benchmarks are found from the root of the checkout, whichever folder the build is started in.
sys.path.insert(0, str(ROOT))

from xcheck.version import __version__  # noqa: E402 - after the path is set

project = "xcheck"
project_copyright = "the xcheck developers, Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "docs._ext.site",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_ext"]

# Signatures stay short: what a parameter may be is said by its sentence.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_use_ivar = True
napoleon_use_rtype = False
add_module_names = False

# References that lead nowhere are errors (-W -n), but to things outside of the public names.
nitpick_ignore_regex = [("py:.*", r"(?!xcheck\.[A-Za-z_]+$).*")]

html_theme = "furo"
html_title = f"xcheck {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
# Reports and file trees are not for a highlighter.
highlight_language = "text"
