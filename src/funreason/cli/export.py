"""`funreason export`: a folder with the model of a round, its card, its template and a Modelfile."""

from funreason.cli.push_model import add_export as add

__all__ = ["add"]
