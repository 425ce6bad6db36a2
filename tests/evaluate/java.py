"""Calls as Java writes them, typed by the tool: what BFCL wants of an answer in its Java category."""

import json

from funreason.calls import Call

# Names of JSON Schema in BFCL's Java tools → of Java.
_ELEMENTS = {"integer": "int", "any": "Object"}


def java(calls: list[Call], tools: list[dict]) -> str:
    """`[Class.method(name=value)]`, every value a Java expression."""
    types = {tool["name"]: tool["parameters"]["properties"] for tool in tools}
    texts = [
        f"{call.name}({', '.join(f'{k}={_value(v, types[call.name].get(k, {}))}' for k, v in call.arguments.items())})"
        for call in calls
    ]
    return f"[{', '.join(texts)}]"


def _value(value, schema: dict) -> str:
    kind, element = schema.get("type"), schema.get("items", {})
    if isinstance(value, list):
        items = ", ".join(_value(item, element) for item in value)
        if kind == "Array":
            return f"new {_ELEMENTS.get(element['type'], element['type'])}[]{{{items}}}"
        return f"new ArrayList<>(Arrays.asList({items}))"
    if isinstance(value, dict):
        puts = " ".join(f"put({json.dumps(k)}, {_value(v, {})});" for k, v in value.items())
        return f"new HashMap<>() {{{{ {puts} }}}}"
    if kind == "any" and isinstance(value, str) and value.startswith("new "):
        return value  # an expression, not a text
    return json.dumps(value) + ("L" if kind == "long" else "f" if kind == "float" else "")
