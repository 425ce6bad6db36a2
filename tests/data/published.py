"""Rows in the spelling of the data sets that publish them, all of one conversation: the weather of Ghent."""
# ruff: noqa: E501 (published texts)

import json

WEATHER = {
    "name": "get_weather",
    "description": "Weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "a city"}},
        "required": ["city"],
    },
}
TRENDS = {
    "name": "Market Trends API",
    "description": "Trends.",
    "parameters": {"type": "dict", "properties": {"kind": {"type": "string"}}, "required": ["kind"]},
}
WRAPPED = {"type": "function", "function": WEATHER}
CALL = {"name": "get_weather", "arguments": {"city": "Ghent"}}
CALL_TEXT, RESULT, ANSWER, QUERY = (
    "[get_weather(city='Ghent')]",
    '{"degrees": 7}',
    "It is 7 degrees.",
    "Weather in Ghent?",
)
JSON_CALL = json.dumps(CALL)

HERMES_SYSTEM = f"""You are a function calling AI model. You are provided with function signatures within <tools> </tools> \
XML tags. You may call one or more functions to assist with the user query. Don't make assumptions about what values to \
plug into functions.
<tools>
{[WRAPPED]}
</tools>
For each function call return a JSON object, with the following pydantic model json schema for each:
{{'title': 'FunctionCall', 'type': 'object', 'properties': {{'name': {{'title': 'Name', 'type': 'string'}}}}}}
Each function call should be enclosed within <tool_call> </tool_call> XML tags.
<tool_call>
{{tool_call}}
</tool_call>"""

QWEN_SYSTEM = f"""# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{json.dumps(WRAPPED)}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""

TOOLACE_SYSTEM = f"""You are an expert in composing functions. You are given a question and a set of possible functions. \

Based on the question, you will need to make one or more function/tool calls to achieve the purpose. 
If none of the function can be used, point it out. If the given question lacks the parameters required by the function,
also point it out. Here is a list of functions in JSON format that you can invoke:
{json.dumps([WEATHER, TRENDS])}. 
Should you decide to return the function call(s). 
Put it in the format of [func1(params_name=params_value, params_name2=params_value2...), func2(params)]

NO other text MUST be included. 
"""

GLAIVE_SYSTEM = f"""SYSTEM: You are a helpful assistant with access to the following functions. Use them if required -
{json.dumps(WEATHER, indent=4)}

{json.dumps(WEATHER | {"name": "other"}, indent=4)}
"""
GLAIVE_CHAT = f"""USER: {QUERY}


ASSISTANT: <functioncall> {{"name": "get_weather", "arguments": '{{"city": "Ghent"}}'}} <|endoftext|>


FUNCTION RESPONSE: {RESULT}


ASSISTANT: {ANSWER} <|endoftext|>


"""

TOOLRL_INSTRUCTION = """You are a helpful multi-turn dialogue assistant capable of leveraging tool calls to solve user \
tasks and provide structured chat responses.

**Available Tools**
In your response, you can use the following tools:
1. Name: get_weather
Description: Weather of a city.
Parameters: {"city": {"description": "a city", "type": "string", "default": ""}}
2. Name: other
Description: Another.
Of two lines.
Parameters: {}

**Steps for Each Turn**
1. **Think:** Recall relevant context and analyze the current user goal.

**Output Format**
```plaintext
<think> Your thoughts and reasoning </think>
<tool_call>
{"name": "Tool name", "parameters": {"Parameter name": "Parameter content", "... ...": "... ..."}}
...
</tool_call>
<response> AI's final response </response>
```

**Important Notes**
1. You must always include the `<think>` field to outline your reasoning."""
TOOLRL_FIRST = f"**Dialogue Records History**\n<user> {QUERY} </user>\n"
TOOLRL_CALL = '<tool_call>\n{"name": "get_weather", "parameters": {"city": "Ghent"}}\n</tool_call>'


def sharegpt(*turns: tuple[str, str], **more: object) -> dict:
    return {"conversations": [{"from": name, "value": value} for name, value in turns], **more}


def chat(*turns: tuple[str, object], **more: object) -> dict:
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


# Each is the whole conversation: query, call, result, answer.
WHOLE = {
    "openai": chat(("user", QUERY), ("assistant", None), ("tool", RESULT), ("assistant", ANSWER), tools=[WRAPPED]),
    "openai text": chat(
        ("user", QUERY), ("assistant", CALL_TEXT), ("tool", RESULT), ("assistant", ANSWER), tools=json.dumps([WEATHER])
    ),
    "function_call": {
        "functions": [WEATHER],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": QUERY}]},
            {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": '{"city": "Ghent"}'}},
            {"role": "function", "name": "get_weather", "content": RESULT},
            {"role": "assistant", "content": ANSWER},
        ],
    },
    "llama-factory": sharegpt(
        ("human", QUERY), ("function_call", JSON_CALL), ("observation", RESULT), ("gpt", ANSWER), tools=json.dumps([WEATHER])
    ),
    "hermes": sharegpt(
        ("system", HERMES_SYSTEM),
        ("human", QUERY),
        ("gpt", f"<tool_call>\n{CALL}\n</tool_call>\n"),
        ("tool", f"<tool_response>\n{RESULT}\n</tool_response>\n"),
        ("gpt", ANSWER),
    ),
    "qwen": chat(
        ("system", QWEN_SYSTEM),
        ("user", QUERY),
        ("assistant", f"<tool_call>\n{JSON_CALL}\n</tool_call>"),
        ("user", f"<tool_response>\n{RESULT}\n</tool_response>"),
        ("assistant", ANSWER),
    ),
    "toolace": sharegpt(
        ("user", QUERY), ("assistant", '[get_weather(city="Ghent")]'), ("tool", RESULT), ("assistant", ANSWER),
        system=TOOLACE_SYSTEM,
    ),
    "glaive": {"system": GLAIVE_SYSTEM, "chat": GLAIVE_CHAT},
    "glaive in a line": {"system": GLAIVE_SYSTEM, "chat": " ".join(GLAIVE_CHAT.split())},
    "anthropic": {
        "tools": [{"name": "get_weather", "description": "W.", "input_schema": WEATHER["parameters"]}],
        "messages": [
            {"role": "user", "content": QUERY},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "get_weather", "input": {"city": "Ghent"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": RESULT}]}]},
            {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]},
        ],
    },
    "columns": {  # as Hugging Face holds a list of objects
        "tools": {"type": ["function"], "function": [WEATHER]},
        "messages": {"role": ["user", "assistant", "tool", "assistant"], "content": [QUERY, CALL_TEXT, RESULT, ANSWER]},
    },
    "trl": {
        "tools": [WRAPPED],
        "prompt": [{"role": "user", "content": QUERY}],
        "completion": [{"role": "assistant", "content": f"<TOOLCALL>[{JSON_CALL}]</TOOLCALL>"},
                       {"role": "tool", "content": RESULT}, {"role": "assistant", "content": ANSWER}],
    },
}  # fmt: skip
WHOLE["openai"]["messages"][1]["tool_calls"] = [
    {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Ghent"}'}}
]
