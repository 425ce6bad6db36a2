"""The chat template of a checkpoint: OpenAI's messages and `tools=` in, the text that the model was trained on out.

A template is Jinja, which any server renders. In front of the model's own template stands a part (prelude.jinja) that
turns a request into the chat that training renders. What it has to know of the model, and of the tools' forms, is
written into it as constants, found out by the code that training runs.
"""

import json
import re
import unicodedata
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING, Any

from funreason.calls.marks import json_escaped
from funreason.calls.parameters import PARAMETERS, SCHEMA_KEYS
from funreason.calls.schema import CARRIED
from funreason.calls.typenames import JSON_TYPES, read_type
from funreason.prompts import template
from funreason.srml.controls import SERVED, own_template
from funreason.srml.template import ChatTemplate, fixed_date

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Scripts whose letters Python takes as they are, from and to; the others are looked at by `funreason serve` alone.
_SCRIPTS = ((0xC0, 0x24F), (0x391, 0x3C9), (0x400, 0x45F), (0x5D0, 0x5EA), (0x3041, 0x3096), (0x30A1, 0x30FA),
            (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))  # fmt: skip
# Type texts that a template reads: Python's annotations as xLAM writes them. All others need `funreason serve`.
_SCALARS = ("str", "string", "int", "integer", "float", "number", "bool", "boolean", "dict", "Dict", "object", "list",
            "List", "array", "any", "Any")  # fmt: skip
_AROUND = ("{}", "List[{}]", "Optional[{}]", "Dict[str, {}]", "List[List[{}]]")
_BESIDE = ("", ", optional")
_TEXTS = ("think", "tool_call", "tool_response", "function_call")
_MODEL_MARKS = tuple(f"<{slash}{name}>" for name in _TEXTS for slash in ("", "/"))


def served_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The chat template for a checkpoint.

    Args:
        tokenizer: The model's, whose template may have the part for servers already.
    """
    constants = f"{{%- set fr = {_jinja(_constants(ChatTemplate.of(tokenizer)))} -%}}\n"
    prelude = resources.files("funreason.serve").joinpath("prelude.jinja").read_text(encoding="utf-8")
    own = own_template(tokenizer)
    return f"{constants}{prelude}{_fixed_dates(own)}{SERVED}{own}"


def plain_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The model's own chat template with the date of training: for engines that cannot read the part for servers.

    Args:
        tokenizer: The model's, whose template may have the part for servers already.
    """
    own = own_template(tokenizer)
    return f"{_fixed_dates(own)}{own}"


def _constants(chat: ChatTemplate) -> dict[str, Any]:
    before, _, after = template("calling").partition("{tools}")
    controls = chat.controls
    return {
        "before": before,
        "after": after,
        "takes_system": chat.takes_system,
        "takes_runs": chat.takes_runs,
        "shows_results": chat.shows_tool_results,
        "reasoning_key": chat.reasoning_key or "",
        "special": sorted(controls.special),
        "marks": sorted(controls.marks),
        "words": controls.words,
        "model_marks": [mark for mark in _MODEL_MARKS if json_escaped(mark) != mark],
        "letters": _letters(),
        "aliases": list(PARAMETERS),
        "schema_keys": sorted(SCHEMA_KEYS | {"additionalProperties"}),
        "objects": [name for name, kind in JSON_TYPES.items() if kind == "object"],
        "carried": [key for key in CARRIED if key != "required"],
        "types": _types(),
    }


def _letters() -> list[list[str]]:
    """The spans of letters that NFKC, which Python applies to names, leaves as they are."""
    spans: list[list[str]] = []
    for first, last in _SCRIPTS:
        for letter in map(chr, range(first, last + 1)):
            if unicodedata.normalize("NFKC", letter) != letter or unicodedata.combining(letter):
                continue
            if spans and ord(spans[-1][1]) + 1 == ord(letter):
                spans[-1][1] = letter
            else:
                spans.append([letter, letter])
    return spans


def _types() -> dict[str, dict[str, Any]]:
    texts = (around.format(name) + beside for around, name, beside in product(_AROUND, _SCALARS, _BESIDE))
    read = {text: read_type(text) for text in texts}
    return {
        text: {"schema": one.schema}
        | ({"said": True, "required": one.required} if one.required is not None else {})
        | ({"null": True} if one.null else {})
        for text, one in read.items()
    }


def _fixed_dates(own: str) -> str:
    """The date that training sees, in place of today's, for templates that write one."""
    forms = sorted(set(re.findall(r"strftime_now\(\s*[\"']([^\"']+)[\"']\s*\)", own)))
    out = ""
    if "date_string" in own:
        out += f"{{%- set date_string = {_jinja(fixed_date('%d %b %Y'))} -%}}"
    if forms:
        dates = {form: fixed_date(form) for form in forms}
        out += f"{{%- macro strftime_now(form) -%}}{{{{- {_jinja(dates)}[form] -}}}}{{%- endmacro -%}}"
    return out


def _jinja(value: Any) -> str:
    """A value as a literal of Jinja: JSON, in which a backslash escape never needs two halves."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
