"""No part of a key, and nothing that a terminal obeys, in a text for people; no key in what a model wrote."""

import base64
import html
import json
import re
from urllib.parse import quote

import pytest

from funreason.llm.engines.scrub import Scrubber

KEY = "sk-or-v1-Zx9Qw7Lm42/VbNc81+TyUiKd=="
BEARER = f"Bearer {KEY}"
FORMS = {
    "plain": KEY,
    "small letters": KEY.lower(),
    "capitals": KEY.upper(),
    "header": f"Authorization: {BEARER}",
    "URL": quote(KEY, safe=""),
    "URL, all of it": "".join(f"%{byte:02X}" for byte in KEY.encode()),
    "JSON": json.dumps({"Authorization": BEARER}),
    "HTML": html.escape(KEY),
    "hexadecimal": KEY.encode().hex(),
    **{f"Base64 after {before!r}": base64.b64encode((before + KEY + "!").encode()).decode()
       for before in ("", ":", "u:", "abc:")},
    **{f"URL-safe Base64 after {before!r}": base64.urlsafe_b64encode((before + KEY).encode()).decode()
       for before in ("", ":", "u:")},
}  # fmt: skip


def parts(form: str, size: int) -> list[str]:
    return [form[at : at + size] for at in range(len(form) - size + 1)]


@pytest.mark.parametrize("form", FORMS)
def test_no_part_of_any_form_is_shown(form):
    text = f"wrong key {FORMS[form]}, see the manual"
    shown = Scrubber(KEY).line(text)
    assert shown.startswith("wrong key ") and shown.endswith("see the manual")
    if "Authorization" not in FORMS[form]:
        assert not [part for part in parts(FORMS[form], 8) if part in shown]
    assert not [part for part in parts(KEY, 5) if part in shown]


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("small letters", "capitals")])
def test_no_form_is_left_in_an_answer(form):
    answer = Scrubber(KEY).answer(f"It is {FORMS[form]}. [f(a=1)]")
    assert "***" in answer and answer.endswith("[f(a=1)]") and answer.startswith("It is ")
    assert not [part for part in parts(KEY, 12) if part in answer]


def test_masked_and_foreign_keys_are_hidden_too():
    line = Scrubber(KEY).line
    assert line("Incorrect API key provided: sk-or-***iKd==.") == "Incorrect API key provided: ***"
    assert line("it ends with iKd= here") == "it ends with *** here"
    assert line("Bearer abc.def and sk-someoneelses hf_someoneelses") == "*** and *** ***"
    assert line("{'authorization': 'Basic abc', 'X-Api-Key': 'def', \"cookie\":\"ghi\"}").count("***") == 3
    headers = line("Authorization: Basic abc\nX-Api-Key: def\nCookie=ghi")
    assert not {"abc", "def", "ghi"} & set(re.findall(r"\w+", headers))
    assert line(f"{KEY[:12]}\x1b[0m{KEY[12:]} and {KEY[:12]}\u200b{KEY[12:]}") == "*** and ***"


def test_a_key_at_the_end_of_what_is_shown_leaves_no_part():
    for before in range(285, 310):
        shown = Scrubber(KEY).line(f"{'x ' * (before // 2)}{'y' * (before % 2)}{KEY}")
        assert not [part for part in parts(KEY, 5) if part in shown]


def test_a_line_holds_nothing_that_a_terminal_obeys():
    text = "a\x1b[2Jb\x1b]0;title\x07c\x9b1md\r\ne\tf\x00g\u202eh\u2066i\u2028j\ud83dk\x7fl"
    assert Scrubber().line(text) == "abcd e fghi jkl"
    assert Scrubber().line("x" * 999) == "x" * 299 + "…"


def test_answers_are_not_damaged():
    text = "A secret token: none, EMPTY, test. \x1b[31m \x00 \U0001f600"
    for key in (None, "none", "EMPTY", "test", "secret", "sk-secret", KEY):
        assert Scrubber(key).answer(text) == text
    assert Scrubber("token-abc123").line("of 8 tokens token-abc123") == "of 8 tokens ***"
    assert Scrubber(KEY).answer("half \ud83d") == "half ?"
