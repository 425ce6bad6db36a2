"""The report page: one HTML file with everything that a finished run says about its rows and models.

`collect` reads the files of a state of the project, `write` packs what it found into the page; assets/ is the page.
"""

from funreason.report.page.collect import collect_round, collect_run
from funreason.report.page.sources import Folder, Source, source
from funreason.report.page.write import write_page

__all__ = ["Folder", "Source", "collect_round", "collect_run", "source", "write_page"]
