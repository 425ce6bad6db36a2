"""The project's one YAML dialect: YAML 1.2, which keeps comments where a file is rewritten."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import BaseRepresenter

from funreason.core.errors import ParamsError


def read_yaml(path: str | Path, typ: str = "safe") -> Any:
    """Read a YAML 1.2 file, in which the 2e-05 that `dvc exp run -S` writes is a number (in 1.1 it is a text).

    Args:
        path: the file.
        typ: "safe" for plain values, "rt" for a document that `yaml().dump` writes back with its comments.

    Returns:
        The values of the file, most often a dict.

    Raises:
        ParamsError: the file is missing or is not valid YAML.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return yaml(typ).load(file)
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist; run in the folder that holds dvc.yaml") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None


def yaml(typ: str = "rt") -> YAML:
    """The reader and writer; "rt" keeps comments and the layout of params.yaml."""
    dialect = YAML(typ=typ)
    dialect.width, dialect.preserve_quotes = 4096, True
    # ruamel writes null as nothing, which looks like a value that somebody forgot.
    dialect.representer.add_representer(type(None), _null)
    return dialect


def _null(representer: BaseRepresenter, _: None) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")
