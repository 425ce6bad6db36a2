"""What speaks against a clear True: values that nothing accounts for, words of the text that no call uses."""

import re
from functools import lru_cache
from itertools import combinations

from funreason.heuristics.look import Found, Leaf, Look
from funreason.heuristics.text import Text, becomes
from funreason.heuristics.values import MAX_PLACES, flags, name_parts, name_words, normal_of, scan, stated

# What turns a sentence round (the rules do not read on), and what asks for more than one call.
TURNS = re.compile(
    r"\b(?:except|instead|rather|unless|otherwise|if|but|wait|actually|however|mistake|wrong|cannot)\b|n['’]t\b"
    r"|\bnot\b(?!\s(?:given|mentioned|specified|provided|needed|required|set|stated|said))"
)
_MORE = re.compile(r"\b(?:also|then|another|both|each|every|as well|same)\b")
_SENTENCE_END = re.compile(r"[.;\n](?=\s|$)")
# Words of parameters that a wrong answer swaps, and the words before their values that tell them apart.
_ORDERED = (
    ("origin", "destination"), ("from", "to"), ("start", "end"), ("source", "target"), ("departure", "arrival"),
    ("min", "max"), ("in", "out"), ("base", "target"), ("first", "second"), ("sender", "receiver"),
)  # fmt: skip
_FROM, _TO = re.compile(r"\b(?:from|leaving|departing)\W+$"), re.compile(r"\b(?:to|into|reaching|until)\W+$")
_DATELIKE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b|\d\d?:\d\d|\d\d?\s?[ap]\.?m\b")
_DATED = re.compile("date|day|time|when|deadline|birth|start|end|due|from|until|since")
_WORDS = re.compile(r"(?:[a-z]+ ){1,6}")
_KNOWN = re.compile(r"lat|lon|lng|coord", re.IGNORECASE)  # coordinates are known, not said
# Types of values that plainly fit a declared type (a bool is an int to Python), and what else may be declared.
_PLAIN = {str: ("string",), bool: ("boolean",), int: ("integer", "float", "number"), float: ("float", "number")}
_BOUNDS = frozenset(("minimum", "maximum", "minLength", "maxLength"))
# Words that tell nothing of what a parameter is about.
COMMON = frozenset(
    "all also and default false find for format from get given have include including into list name number only "
    "optional option or other parameter result search show specified specific specify string that the this true type "
    "use used user using value want what when where whether which will with would your like need please could".split()
)


def unasked(look: Look) -> list[str]:
    """The functions that the query does not ask for; the words of all are covered, so that they do not seem unused."""
    for word in {word for name in look.names for word in name_words(name)}:
        for place in look.text.words.get(word, ()):
            look.text.cover(place)
    return [name for name in look.names if not look.text.asks(name)]


def unheard(name: str, text: Text) -> bool:
    """Whether the text has no word of a function's name but perhaps the verb."""
    nouns = name_parts(name)[1]
    return bool(nouns) and not any(word in text.words for word in nouns)


def asks_more(look: Look) -> bool:
    """Whether one call stands against words that ask for several, or the same call is made twice."""
    alone = len(look.calls) == 1
    return bool(_MORE.search(look.text.low)) if alone else len({repr(call) for call in look.calls}) < len(look.calls)


def plainly_fits(look: Look) -> bool:
    """Whether the calls fit at a glance. Only what is not plain is validated: to compile a new schema takes 1 ms."""
    for call in look.calls:
        spec = look.specs.get(call.name)
        if spec is None or not spec.required <= call.arguments.keys() <= spec.parameters.keys():
            return False
        if not all(_plain(value, spec.parameters[param]) for param, value in call.arguments.items()):
            return False
    return True


def _plain(value: object, declared: dict) -> bool:
    fits, enum = declared.get("type") in _PLAIN.get(type(value), ()), declared.get("enum")
    return fits and _BOUNDS.isdisjoint(declared) and (not enum or (isinstance(enum, list) and value in enum))


def invented(leaf: Leaf, look: Look) -> bool:
    """A number or a date that nothing accounts for, where the query says another one that nothing uses."""
    date = isinstance(leaf.value, str) and isinstance(normal_of(leaf.value), tuple)
    if leaf.key or not (date or isinstance(leaf.value, (int, float))):
        return False
    return bool(look.text.free("date" if date else "number")) and not excused(leaf, look)


def excused(leaf: Leaf, look: Look) -> bool:
    """Whether a number or a date may stand in the answer although the text does not say it."""
    if isinstance(leaf.value, (int, float)):
        number = re.escape(f"{abs(leaf.value):g}") if abs(leaf.value) < 1e15 else "$."
        told = re.search(rf"(?<![\d.]){number}(?!\d)", str(look.declared(leaf).get("description")))
        return bool(told or _KNOWN.search(leaf.param)) or look.implies(leaf.value)
    return look.implies(leaf.value)


def contradicted(leaf: Leaf, look: Look) -> bool:
    """Whether the reasoning cannot lead to a leaf: no word of it, no excuse, or plainly the other truth value."""
    if isinstance(leaf.value, bool) or leaf.value is None:
        said = {value for _, _, value in flags(look.text.low, leaf.param)}
        return leaf.value is not None and said == {not leaf.value}
    if _told_otherwise(leaf, look):
        return True
    # Short texts and those of a list may stand for words that share no letter with them (`en`: English).
    coded = isinstance(leaf.value, str) and (len(leaf.value) < 4 or look.declared(leaf).get("enum"))
    if leaf.key or look.text.places(leaf.value) or look.text.hints(leaf.value) or excused(leaf, look):
        return False
    return not coded or bool(stated(look.text.low, leaf.param))


def _told_otherwise(leaf: Leaf, look: Look) -> bool:
    """Whether the reasoning says of the parameter only values of the leaf's kind that cannot become the leaf."""
    text, (kind, value) = look.text, _kind(leaf.value)
    if leaf.key or text.places(leaf.value) or (kind in ("number", "date") and text.hints(leaf.value)):
        return False
    starts = stated(text.low, leaf.param)[:MAX_PLACES]
    spans = [(at, _SENTENCE_END.search(text.low, at, at + 60)) for at in starts]
    ends = [(at, end.start() if end else at + 60) for at, end in spans]
    said = [said.value for said in text.said if said.kind == kind and any(a <= said.start < b for a, b in ends)]
    return bool(said) and not (kind == "number" and any(becomes(value, other) for other in said))


def _kind(value: str | int | float) -> tuple[str, object]:
    """The kind of `values.Said` that a value is, and its normal form; "" for plain text."""
    said = [(said.kind, said.value) for said in scan(str(value).lower()) if said.end - said.start == len(str(value))]
    return said[0] if said else ("", value)


def not_answered(look: Look) -> list[str]:
    """What the reasoning says and the answer has not: values, and parameters said to be something else."""
    text, starts, values, other = look.text, {}, set(), []
    for leaf in [found.leaf for found in look.found]:
        if isinstance(leaf.value, bool):
            given = {one.leaf.value for one in look.found if one.leaf.param == leaf.param}
            other += [leaf.param] if any(value not in given for _, _, value in flags(text.low, leaf.param)) else []
            continue
        places = text.places(leaf.value)
        starts.setdefault(leaf.param, set()).update(start for start, _ in places)
        values.add(normal_of(leaf.value) if isinstance(leaf.value, str) else leaf.value)
        for place in places:
            text.cover(place)
    other += [str(said.value) for said in text.free("number", "date", "time", "code") if said.value not in values]
    return other + [
        param
        for param, known in starts.items()
        if not all(_accounted(at, known, text) for at in stated(text.low, param))
    ]


def _accounted(at: int, known: set[int], text: Text) -> bool:
    """Whether a known value begins at `at`, or after some plain words ("city: the user is in Rome")."""
    return any(at == start or (at < start <= at + 60 and _WORDS.fullmatch(text.raw[at:start])) for start in known)


def misplaced(look: Look) -> list[str]:
    """Two values of a call that stand in the query, or are declared, as if they had changed places."""
    said = [found for found in look.found if found.place and not found.leaf.key]
    for one, two in combinations(said, 2):
        a, b = one.leaf, two.leaf
        if a.call != b.call or a.param == b.param or isinstance(a.value, str) != isinstance(b.value, str):
            continue
        if _told(a, b, look) or _told(b, a, look) or _swapped(one, two, look.text):
            return [a.param, b.param]
    return []


def _told(leaf: Leaf, other: Leaf, look: Look) -> bool:
    """Whether a text is named where another parameter is declared, and not where its own is."""
    value = leaf.value.lower() if isinstance(leaf.value, str) else ""
    own, others = (f"{of.param} {look.declared(of)}".lower() for of in (leaf, other))
    dated = _DATELIKE.match(value) and not _DATED.search(own)
    return bool(dated) or (len(value) > 2 and value in others and value not in own)


def _swapped(one: Found, two: Found, text: Text) -> bool:
    """Whether the words of a parameter stand nearer to the other's value, or `from` and `to` the wrong way round."""
    a, b = one.leaf.param, two.leaf.param
    own, other = text.distance(a, b, one.place), text.distance(a, b, two.place)
    theirs, back = text.distance(b, a, two.place), text.distance(b, a, one.place)
    if (other < own and back <= theirs) or (back < theirs and other <= own):
        return True
    for first, second in _ORDERED:
        for left, right in ((one, two), (two, one)):
            pair = first in name_words(left.leaf.param) and second in name_words(right.leaf.param)
            if pair and right.place < left.place:
                return not (_follows_on(_FROM, left, text) or _follows_on(_TO, right, text))
    return False


def _follows_on(words: re.Pattern, found: Found, text: Text) -> bool:
    start = found.place[0]
    return bool(words.search(text.low[max(0, start - 20) : start]))


def ignored(look: Look) -> list[str]:
    """What the query says of the called tools' parameters and no call has: a flag, a value of a list, a word of it."""
    text, places = look.text, []
    for name, spec in look.specs.items():
        given = {leaf.param for leaf in look.leaves("said") if look.calls[leaf.call].name == name}
        for param, declared in spec.parameters.items():
            enum = declared.get("enum") if isinstance(declared.get("enum"), list) else []
            listed = [value for value in enum if isinstance(value, str) and len(value) > 2]
            places += [place for value in listed for place in text.verbatim(value)]
            places += [said[:2] for said in flags(text.low, param)] if declared.get("type") == "boolean" else []
            about = () if param in given else _about(f"{param} {declared.get('description')}"[:500])
            places += [place for word in about for place in text.words.get(word, ())]
    return [text.raw[slice(*place)] for place in places if text.is_free(place)]


@lru_cache(maxsize=4096)
def _about(description: str) -> tuple[str, ...]:
    """The words that tell what a parameter is about."""
    return tuple({word for word in name_words(description) if len(word) > 3 and word not in COMMON})
