"""BFCL's true calls of its conversations as the answers that a perfect model would write."""

import ast
import json

from llm.http_server import completion

from .gold import official_data

DOCS = {  # constants.executable_backend_config.MULTI_TURN_FUNC_DOC_FILE_MAPPING, which only the scorer can import
    "GorillaFileSystem": "gorilla_file_system", "MathAPI": "math_api", "MessageAPI": "message_api",
    "TwitterAPI": "posting_api", "TicketAPI": "ticket_api", "TradingBot": "trading_bot", "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}  # fmt: skip
CLOSING = "That is all I can do for you."


def entries(category: str, version: str = "v4") -> list[dict]:
    """BFCL's rows of a category, in order."""
    return _rows(next(official_data(version).glob(f"BFCL_v?_{category}.json")))


def gold_answers(category: str, version: str = "v4") -> dict[str, list[str]]:
    """{id: answers}: for each turn its calls in one answer, if it has any, and then a statement."""
    data = official_data(version)
    parameters = {name: _parameters(data / "multi_turn_func_doc" / f"{file}.json") for name, file in DOCS.items()}
    true = {row["id"]: row["ground_truth"] for row in _rows(next(data.glob(f"possible_answer/*_{category}.json")))}
    answers = {}
    for entry in entries(category, version):
        known = {name: names for api in entry["involved_classes"] for name, names in parameters[api].items()}
        turns = [[_named(call, known) for call in calls] for calls in true[entry["id"]]]
        answers[entry["id"]] = [
            text for calls in turns for text in ([f"[{', '.join(calls)}]"] if calls else []) + [CLOSING]
        ]
    return answers


def _named(call: str, parameters: dict[str, list[str]]) -> str:
    """The call with all arguments by name: the official decoder drops the others, which the true calls have, too."""
    node = ast.parse(call.strip(), mode="eval").body
    names = parameters[node.func.id]
    node.keywords = [ast.keyword(name, value) for name, value in zip(names, node.args, strict=False)] + node.keywords
    node.args = []
    return ast.unparse(node)


def _parameters(path) -> dict[str, list[str]]:
    return {row["name"]: list(row["parameters"]["properties"]) for row in _rows(path)}


def _rows(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def perfect(conversations, version: str = "v4", mark: str = ""):
    """The answer of a server (llm.http_server) that gives the true calls, and a statement to any other question.

    `mark` stands before each answer.
    """
    known = {}
    for category in {conversation.category for conversation in conversations}:
        known |= gold_answers(category, version)
    by_start = {_start(conversation.messages): known[conversation.id] for conversation in conversations}
    assert len(by_start) == len(conversations), "two conversations begin alike"

    def answer(body: dict) -> dict:
        step = sum(message["role"] == "assistant" for message in body["messages"])
        answers = by_start.get(_start(body["messages"]))
        return completion(mark + (answers[step] if answers else CLOSING))

    return answer


def _start(messages: list[dict]) -> tuple[str, str]:
    system, question, *_ = messages
    return system["content"], question["content"]
