"""The documentation site: `make docs` builds it from these Markdown files into site/. Pages load nothing else."""

project = "FunReason-DVC"
author = "the FunReason-DVC authors"

extensions = ["myst_parser"]
myst_heading_anchors = 3  # links such as method.md#conversations, with GitHub's names of headings
exclude_patterns = ["conf.py"]

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
