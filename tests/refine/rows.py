"""The rows of the tests: a small source with one row for each way through the checks."""

WEATHER = {
    "name": "get_weather",
    "description": "Get the weather.",
    "parameters": {
        "city": {"description": "A city.", "type": "str"},
        "days": {"description": "Days ahead.", "type": "int, optional", "default": 1},
    },
}
TABLE = {
    "name": "book_table",
    "description": "Book a table.",
    "parameters": {
        "place": {"description": "A restaurant.", "type": "str"},
        "guests": {"description": "How many.", "type": "int"},
    },
}
TOOLS = [WEATHER, TABLE]
GHENT = "[get_weather(city='Ghent', days=3)]"
OSLO = "[get_weather(city='Oslo', days=3)]"


def row(name: str, answer: str, query: str | None = None, cot: str | None = None) -> dict:
    """A task with its own query (unless given), whose reasoning is there already."""
    response = {"cot": cot or f"For {name} I call the function.", "answer": answer}
    query = query or f"Three days in Ghent, {name}?"
    return {"id": name, "query": query, "tools": TOOLS, "answers": [], "response": response}


# id → answer; what the judge says about each is in replies.jsonl (everything it is not asked about is right).
TASKS = [
    row("kept", GHENT),
    row("statement", "None of the given functions can sing."),
    row("unsolvable", GHENT),
    row("bad_cot", GHENT),
    row("mended", OSLO),
    row("mended_off_cot", OSLO),
    row("stubborn", OSLO),
    row("no_new_call", OSLO),
    row("broken_new_call", OSLO),
    row("space", "[ get_weather(city='Ghent', days=3)]"),
    row("quoted", "[get_weather('city'='Ghent', 'days'=3)]"),
    row("format_rewrites", "[ get_weather(city='Ghent', days=3)]"),
    row("mute", GHENT),
    row("second_ask", GHENT),
    row("ill_typed", "[get_weather(city='Ghent', days='three')]"),
    row("twin", "[get_weather(days=3, city='Ghent')]", query="Three days in Ghent, kept?"),
    row("half_thought", GHENT, cot="a</think>b"),
    {"id": "sampled", "query": "A table at Alma for two.", "tools": TOOLS, "answers": []},
    {"id": "silent", "query": "A table at Bern for six.", "tools": TOOLS, "answers": []},
]

OUTCOMES = {
    "kept": ("kept", "validate"),
    "statement": ("statement", "validate"),
    "unsolvable": ("dropped", "query_tool"),
    "bad_cot": ("dropped", "cot"),
    "mended": ("regenerated", "validate"),
    "mended_off_cot": ("dropped", "call"),
    "stubborn": ("hard", "call"),
    "no_new_call": ("hard", "call"),
    "broken_new_call": ("hard", "call"),
    "space": ("regenerated", "validate"),
    "quoted": ("regenerated", "validate"),
    "format_rewrites": ("hard", "format"),
    "mute": ("dropped", "query_tool"),
    "second_ask": ("kept", "validate"),
    "ill_typed": ("hard", "validate"),
    "twin": ("dropped", "validate"),
    "half_thought": ("dropped", "generate"),
    "sampled": ("kept", "validate"),
    "silent": ("dropped", "generate"),
}
LABELS = {"unsolvable": "unsolvable", "bad_cot": "bad_cot", "mended": "wrong_value", "stubborn": "wrong_value",
          "space": "format_space", "sampled": "wrong_value"}  # fmt: skip
CAUGHT_BY = {"unsolvable": "query_tool", "bad_cot": "cot", "mended": "call", "stubborn": "call", "space": "format",
             "sampled": "call"}  # fmt: skip
