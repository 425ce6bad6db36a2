"""Seeded random calls, from the values that break naive readers."""

import random

from funreason.calls import Call

NAMES = ["f", "math.factorial", "a.b.c", "größe", "get_weather_v2", "json.import", "lambda", "天気"]
KEYS = ["a", "x_1", "from", "class", "in", "true", "_", "größe", "kw0_from", "type"]
TEXTS = [
    "",
    "it's",
    'say "hi"',
    """both ' and " """,
    "back\\slash",
    "new\nline\ttab",
    "São Paulo",
    "東京",
    "🎈",
    "[f(a=1)]",
    "a=1, b='x')",
    "`code`",
    "<think>",
    "\u200b\u2028\x00",
    "# no comment",
    "from=x, class(1)",
    "\\N{DASH} \\x41 {braces}",
]
NUMBERS = [0, -1, 7, 10**18, -0.5, 1e-07, 1.5e300, 3.0, -2.0, 123456.789]


def random_value(rng: random.Random, depth: int = 0) -> object:
    """A JSON value or tuple, nested up to four levels."""
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return "".join(rng.choices(TEXTS, k=rng.randint(1, 3)))
    if kind < 5:
        return rng.choice(NUMBERS)
    if kind == 5:
        return rng.choice([True, False, None])
    if kind == 6:
        return {rng.choice(TEXTS): random_value(rng, depth + 1) for _ in range(rng.randint(0, 3))}
    items = [random_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return items if kind == 7 else tuple(items)


def random_calls(rng: random.Random, names: list[str] = NAMES, keys: list[str] = KEYS) -> list[Call]:
    """None to three calls."""
    return [
        Call(rng.choice(names), {key: random_value(rng) for key in rng.sample(keys, rng.randint(0, 4))})
        for _ in range(rng.randint(0, 3))
    ]
