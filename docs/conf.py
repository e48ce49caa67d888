"""How Sphinx builds the site.

Sphinx, because numpydoc is at home in it, and because it is kept up: MkDocs Material, the other choice, ends
in 2027. Pages are Markdown (MyST), so that they read well beside the code. tools/docsite/build.py calls this,
and makes the pages that come from the program.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools" / "docsite"))

from names import link_names, own_member

from napari_histreg import __version__

project = "napari-histreg"
author = "The napari-histreg developers"
project_copyright = author
version = release = __version__.partition("+")[0]

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_copybutton"]
exclude_patterns = ["gallery/*.py", "pictures/*.py"]
myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 4
default_role = "code"

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc says them in words, with shapes and units
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = project
html_logo = "images/logo.svg"
html_favicon = "images/icon.svg"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": project, "alt_text": "napari-histreg, home"},
    "show_prev_next": False,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "whats-new": [], "notebooks/index": []}


def setup(app):
    """Listen to what autodoc reads."""
    app.connect("autodoc-process-docstring", link_names)
    app.connect("autodoc-skip-member", own_member)
