"""What servers have sent, and what a hostile one may send, by kind: each for one request, with its outcome.

An entry is (what the script of `http_server.serve` takes, the outcome). The outcome is the completion that the row
gets, Dropped(regular expression of the reason in the ledger), or Stops(regular expression of the error line).
"""

import gzip
import json
import time
from typing import NamedTuple

from .http_server import completion

SECRET = "sk-proj-Zx9Qw7Lm42VbNc81TyUiKd"  # the key of the tests: all parts of it are looked for
ANSWER = "<think>It asks for Ghent.</think>\n\n[get_weather(city='Ghent')]"
CALL = "[get_weather(city='Ghent')]"
ANSI = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \u202eevil\u2066 \x08"


class Dropped(NamedTuple):
    reason: str


class Stops(NamedTuple):
    error: str


def message(content, **more) -> dict:
    return completion(content, **more)


def body(**changes) -> dict:
    return completion(ANSWER) | changes


def ended(reason, content=ANSWER, **more) -> dict:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}
    return body(choices=[choice | more])


def called(*calls, content=None, name="tool_calls") -> dict:
    reply = completion(content, **{name: list(calls) if name == "tool_calls" else calls[0]})
    reply["choices"][0]["finish_reason"] = name
    return reply


def function(name, arguments) -> dict:
    return {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}


def error(text, status=400, **more) -> tuple:
    return status, {"error": {"message": text, **more}}


def usage(**counts) -> dict:
    return body(usage=counts)


def raw(*chunks, head="HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", pause=0.0):
    """Writes bytes to the socket as they are, with a pause before each chunk."""

    def write(handler):
        for chunk in (f"{head}\r\n", *chunks):
            handler.wfile.write(chunk.encode() if isinstance(chunk, str) else chunk)
            handler.wfile.flush()
            time.sleep(pause)

    return write


def dripping(handler):
    """A body that never ends, a byte at a time."""
    raw("{", *[" "] * 400, pause=0.02)(handler)


def dripping_header(handler):
    raw(head="HTTP/1.1 200 OK\r\n" + "X")(handler)
    for _ in range(400):
        handler.wfile.write(b"x")
        time.sleep(0.02)


def endless(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")


def compressed(data: bytes):
    return raw(gzip.compress(data), head="HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")


def redirect(handler):
    place = f"http://127.0.0.1:9/{handler.headers['Authorization'].split()[-1]}"
    raw(head=f"HTTP/1.1 307 Temporary\r\nLocation: {place}\r\nContent-Length: 0\r\n")(handler)


def echoing(status):
    """Sends all headers of the request back."""
    return lambda handler: handler._send(status, {"error": {"message": f"bad request {handler.headers}"}})


DEEP = json.dumps(completion(ANSWER))[:-1].encode() + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
TWICE = json.dumps(completion("no")).replace('"content": "no"', f'"content": "no", "content": {json.dumps(ANSWER)}')

REPLIES = {
    # Where the text stands.
    "as it should be": (completion(ANSWER), ANSWER),
    "content null": (message(None), Dropped("empty answer")),
    "content missing": (body(choices=[{"message": {"role": "assistant"}, "finish_reason": "stop"}]),
                        Dropped("no chat completion|empty answer")),
    "content a list of parts": (message([{"type": "text", "text": ANSWER[:9]}, {"type": "text", "text": ANSWER[9:]}]),
                                ANSWER),
    "content a list of strings": (message([ANSWER[:9], ANSWER[9:]]), ANSWER),
    "content a part": (message({"type": "text", "text": ANSWER}), ANSWER),
    "content parts with null": (message([None, {"type": "text", "text": None}, {"type": "text", "text": ANSWER}]),
                                ANSWER),
    "content nested": (message(json.loads('[{"text":' * 150 + json.dumps(ANSWER) + "}]" * 150)), ANSWER),
    "content nested too deep": (message(json.loads('[{"text":' * 350 + '"x"' + "}]" * 350)), Dropped("cannot be read")),
    "content a number": (message(42), "42"),
    "thinking parts": (message([{"type": "thinking", "thinking": [{"type": "text", "text": "It asks for Ghent."}]},
                                {"type": "text", "text": CALL}]), ANSWER),
    "reasoning": (message(CALL, reasoning="It asks for Ghent."), ANSWER),
    "reasoning_content": (message(CALL, reasoning_content="It asks for Ghent."), ANSWER),
    "thinking": (message(CALL, thinking="It asks for Ghent."), ANSWER),
    "reasoning_details": (message(CALL, reasoning_details=[{"type": "reasoning.text", "text": "It asks for Ghent."}]),
                          ANSWER),
    "reasoning a list of parts": (message(CALL, reasoning=[{"text": "It asks "}, {"text": "for Ghent."}]), ANSWER),
    "reasoning in both places": (message(ANSWER, reasoning_content="It asks for Ghent."), ANSWER),
    "reasoning only": (message(None, reasoning="It asks"), Dropped("empty answer")),
    "refusal": (message(None, refusal="I cannot help."), "I cannot help."),
    "legacy text": (body(choices=[{"index": 0, "text": ANSWER, "finish_reason": "stop"}]), ANSWER),
    # Calls in a field of their own.
    "tool_calls": (called(function("get_weather", '{"city": "Ghent"}')), CALL),
    "tool_calls with an object": (called(function("get_weather", {"city": "Ghent"})), CALL),
    "two tool_calls": (called(function("f", "{}"), function("g", '{"a": [1, null, true]}')),
                       "[f(), g(a=[1, None, True])]"),
    "tool_calls with reasoning": (
        message("", reasoning_content="It asks for Ghent.", tool_calls=[function("get_weather", '{"city": "Ghent"}')]),
        ANSWER),
    "tool_calls without arguments": (called(function("f", ""), function("g", None)), "[f(), g()]"),
    "tool_calls beside text": (called(function("f", "{}"), content="I call f."), "I call f.\n\n[f()]"),
    "tool_calls with unreadable arguments": (called(function("f", '{"a": ')), '[f({"a": )]'),
    "tool_calls with a list as arguments": (called(function("f", "[1]")), "[f([1])]"),
    "tool_calls with deep arguments": (called(function("f", f'{{"a": {"[" * 99}{"]" * 99}}}')),
                                       f'[f({{"a": {"[" * 99}{"]" * 99}}})]'),
    "tool_calls with a name that is no identifier": (called(function("get-weather", '{"start-date": "today"}')),
                                                     "[get-weather(start-date='today')]"),
    "tool_calls that are no calls": (called({"x": 1}), '[{"x": 1}]'),
    "tool_calls empty": (completion(ANSWER, tool_calls=[]), ANSWER),
    "tool_calls null": (completion(ANSWER, tool_calls=None, function_call=None), ANSWER),
    "function_call": (called({"name": "get_weather", "arguments": '{"city": "Ghent"}'}, name="function_call"), CALL),
    "tool_use part": (message([{"type": "tool_use", "name": "get_weather", "input": {"city": "Ghent"}}]), CALL),
    # Why it ended.
    **{f"finish_reason {reason!r}": (ended(reason), ANSWER)
       for reason in ("eos_token", "eos", "end_turn", "stop_sequence", "STOP", "COMPLETE", None, "", 0, {}, "other")},
    **{f"finish_reason {reason!r}": (ended(reason), Dropped("cut at the maximum length"))
       for reason in ("length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens")},
    **{f"finish_reason {reason!r}": (ended(reason), Dropped("content_filter"))
       for reason in ("content_filter", "SAFETY", "PROHIBITED_CONTENT", "refusal")},
    "finish_reason error, no text": (ended("error", ""), Dropped("failed at the server: 503 ended by 'error'")),
    "finish_reason very long": (ended("max" * 1_000_000), ANSWER),
    "finish_reason error": (ended("error"), Dropped("ended by 'error'")),
    "finish_reason with an escape": (ended(f"error{ANSI}{SECRET}"), Dropped("ended by 'error")),
    "finish_reason missing": (body(choices=[{"message": {"content": ANSWER}}]), ANSWER),
    # Counts.
    "usage null": (body(usage=None), ANSWER),
    "usage empty": (usage(), ANSWER),
    "usage a list": (body(usage=[1]), ANSWER),
    "usage negative": (usage(prompt_tokens=-(10**9), completion_tokens=-5), ANSWER),
    "usage huge": (usage(prompt_tokens=10**400, completion_tokens=2**70), ANSWER),
    "usage of more digits than Python reads": (
        (200, json.dumps(usage(prompt_tokens=7)).encode().replace(b"7", b"7" * 5000)), ANSWER),
    "usage strings": (usage(prompt_tokens="12", completion_tokens="many"), ANSWER),
    "usage floats": (usage(prompt_tokens=12.7, completion_tokens=1e300), ANSWER),
    "usage NaN": (usage(prompt_tokens=float("nan"), completion_tokens=float("inf")), ANSWER),
    "usage null counts": (usage(prompt_tokens=None, completion_tokens=True), ANSWER),
    # Which choice.
    "choices several": (body(choices=[*completion(ANSWER)["choices"], *completion("no")["choices"]]), ANSWER),
    "choices with nulls": (body(choices=[None, {}, *completion(ANSWER)["choices"]]), ANSWER),
    "choices an object": (body(choices=completion(ANSWER)["choices"][0]), ANSWER),
    "choices null": (body(choices=None), Dropped("no chat completion")),
    "choices empty": (body(choices=[]), Dropped("no chat completion")),
    "choices of numbers": (body(choices=[1]), Dropped("no chat completion")),
    "message a string": (body(choices=[{"message": ANSWER, "finish_reason": "stop"}]), ANSWER),
    "in a list": ((200, json.dumps([completion(ANSWER)]).encode()), ANSWER),
    # JSON and bytes.
    "empty body": ((200, b""), Dropped("no JSON .it is empty")),
    "JSON null": ((200, b"null"), Dropped("no chat completion")),
    "JSON text": ((200, b'"hello"'), Dropped("no chat completion")),
    "truncated JSON": ((200, json.dumps(completion(ANSWER)).encode()[:-20]), Dropped("sent no JSON")),
    "deep JSON": ((200, DEEP), Dropped("nested too deep")),
    "duplicate keys": ((200, TWICE.encode()), ANSWER),
    "byte order mark": ((200, b"\xef\xbb\xbf" + json.dumps(completion(ANSWER)).encode()), ANSWER),
    "UTF-16": ((200, json.dumps(completion(ANSWER)).encode("utf-16")), ANSWER),
    "invalid UTF-8": ((200, json.dumps(completion("caf|")).encode().replace(b"|", b"\xe9")), "caf\ufffd"),
    "half a surrogate pair": (message("x \ud83d y"), "x ? y"),
    "NUL and escapes in the text": (message("x\x00\x1b[31my"), "x\x00\x1b[31my"),
    "huge text": (message("x" * 3_000_000), "x" * 3_000_000),
    "HTML": ((200, b"<html><body>Sign in</body></html>"), Dropped("sent no JSON")),
    "an event stream": ((200, b'data: {"choices": []}\n\ndata: [DONE]\n\n'), Dropped("sent no JSON")),
    # Errors of one request.
    "400": (error("no"), Dropped("refused by the server: 400 no")),
    "413": (error("no", 413), Dropped("prompt too long")),
    "422": ((422, {"detail": [{"loc": ["body"], "msg": "field required"}]}), Dropped("refused .*field required")),
    "400 without a body": ((400, b""), Dropped("refused by the server: 400$")),
    "400 with HTML": ((400, b"<html>Bad Request</html>"), Dropped("refused .*Bad Request")),
    "400 with a list": ((400, [{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}]),
                        Dropped("refused .*INVALID_ARGUMENT no")),
    "451": ((451, b"no"), Dropped("refused")),
    "filtered prompt": (error("The response was filtered", 400, code="content_filter"), Dropped("content_filter")),
    "flagged prompt": (error("Input was flagged by moderation", 403), Dropped("flagged")),
    "max_tokens too large": (error("max_tokens (99999) exceeds the maximum number of output tokens, 4096"),
                             Dropped("refused .*max_tokens")),
    "error in a choice": (body(choices=[{"finish_reason": "error", "error": {"code": 400, "message": "no"}}]),
                          Dropped("refused by the server: 400 no")),
    **{f"too long: {text[:40]}": (error(text, status, **more), Dropped("prompt too long")) for text, status, more in (
        ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", 400, {}),
        ("x", 400, {"code": "context_length_exceeded"}),
        ("prompt is too long: 210000 tokens > 200000 maximum", 400, {"type": "invalid_request_error"}),
        ("Input is too long for requested model.", 400, {}),
        ("Please reduce the length of the messages or completion.", 400, {}),
        ("the request exceeds the available context size", 400, {"type": "exceed_context_size_error"}),
        ("The input token count (40000) exceeds the maximum number of tokens allowed (32000).", 400, {}),
        ("Range of input length should be [1, 6000]; your prompt exceeds it", 422, {}),
        ("Request too large for m on tokens per min: Limit 30000, Requested 40000.", 429, {}),
        ("Input validation error: `inputs` must have less than 4095 tokens. Given: 5000", 422, {}),
        ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", 422, {}),
        ("input length and `max_tokens` exceed context limit", 500, {}),
    )},
    # Errors with status 200.
    "error with status 200": ({"error": {"message": "no", "code": 422}}, Dropped("422 no")),
    "error text with status 200": ({"error": "something is wrong"}, Dropped("something is wrong")),
    "error object with status 200": ({"object": "error", "message": "no", "type": "BadRequestError", "code": 400},
                                     Dropped("BadRequestError no")),
    "detail with status 200": ({"detail": "no"}, Dropped("no")),
    "too long with status 200": ({"error": "maximum context length is 8 tokens"}, Dropped("prompt too long")),
    "key refused with status 200": ({"error": {"code": 401, "message": f"bad key {SECRET}"}}, Stops("refuses the key")),
    # The stage's.
    "401 with the key": (error(f"Incorrect API key provided: {SECRET}", 401), Stops(r"refuses the key \(401\)")),
    "403": (error("no", 403), Stops(r"refuses the key \(403\)")),
    "402": (error("pay", 402), Stops("402 pay")),
    "404": (error("The model `m` does not exist", 404), Stops("404 .*serve it under this name")),
    "no money left": (error("You exceeded your current quota", 429, code="insufficient_quota"), Stops("429 .*quota")),
    "400 about the key": (error("API key not valid", 400, code="API_KEY_INVALID"), Stops("API_KEY_INVALID")),
    "a field it does not know": (error("Unsupported parameter: 'max_tokens'", code="unsupported_parameter"),
                                 Stops("400 unsupported_parameter .*llm.server.rename_fields")),
    "redirect": (redirect, Stops(r"307 .*redirect, which is not followed")),
    # Errors that repeat the key, or what a terminal obeys.
    "400 with the key": (error(f"key {SECRET} cannot do this"), Dropped(r"refused .*: 400 key \*\*\* cannot")),
    "400 with parts of the key": (error(f"{SECRET[:9]} and {SECRET[9:15]} and …{SECRET[-4:]} {SECRET[:4]}***"),
                                  Dropped(r"\*\*\* and \*\*\*")),
    "400 with all headers": (echoing(400), Dropped(r"refused .*Bad request|bad request")),
    "400 with escapes": (error(f"{ANSI} no\r\nno"), Dropped("refused by the server: 400 red evil no no")),
    "the key in an answer": (message(f"The key is {SECRET}."), "The key is ***."),
    # The way of the bytes. These are asked again, and then once more after all others.
    "always 500": (error("crashed", 500), Dropped("failed at the server: 500 crashed")),
    "500 with all headers": (echoing(500), Dropped("failed at the server: 500 bad request")),
    "always overloaded with status 200": ({"error": {"message": "Overloaded", "type": "overloaded_error"}},
                                          Dropped("failed at the server: 503 overloaded_error Overloaded")),
    "closed without a word": (lambda handler: None, Dropped("failed at the server: the reply broke off")),
    "reset in the body": (raw('{"id"', head="HTTP/1.1 200 OK\r\nContent-Length: 99\r\n"),
                          Dropped("failed .*broke off")),
    "no HTTP": (raw(head=f"SSH-2.0 {SECRET} {ANSI}\r\n"), Dropped("failed .*is no HTTP")),
    "broken chunks": (raw("zz\r\n", head="HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"),
                      Dropped("failed .*no HTTP")),
    "broken gzip": (raw("no gzip", head="HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"), Dropped("failed .*no HTTP")),
    "gzip": (compressed(json.dumps(completion(ANSWER)).encode()), ANSWER),
    "a gzip bomb": (compressed(b" " * 2**26), Dropped("more than N MiB")),
    "an unknown encoding": (raw("{}", head="HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n"),
                            Dropped("no chat completion")),
    "a slow body": (dripping, Dropped("failed .*no whole reply within")),
    "a slow header": (dripping_header, Dropped("failed .*no whole reply within")),
    "an endless body": (endless, Dropped("more than N MiB")),
    "a slow answer": (5.0, Dropped("failed .*no whole reply within")),
}  # fmt: skip
