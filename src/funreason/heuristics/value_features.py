"""The features of each value of the calls, from which the verifier tells how likely the value is wrong.

How the query states the value; whether the words around it are those of its parameter or of another one; and what else
the query has that no call uses and that could be meant instead.
"""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from math import log1p
from typing import Any

from funreason.heuristics.comparison import Comparison, ScalarMatch
from funreason.heuristics.habits import Habits
from funreason.heuristics.text import Place
from funreason.heuristics.value_form import form_features, shape_of
from funreason.heuristics.value_meaning import Meanings
from funreason.heuristics.words import COMMON_WORDS, STOP_WORDS, TOKEN, VERBS, name_words, roots, stem

# What a text may be, from clearly stated to nowhere in sight; the trees ask for more or less of it.
_STATES = {name: float(at) for at, name in enumerate(
    "stated earlier reused default known extended hinted hinted_choice absent_choice absent".split()
)}  # fmt: skip
_KINDS = {"flag": 0.0, "text": 1.0, "number": 2.0}
# Words that introduce a value, where none follows: "in ?", "from to".
_INTRODUCES = "in|at|for|from|to|of|on|by|with|between|is|named|called|the|an?|my|as|than|about|into"
_DANGLING = re.compile(
    rf"\b(?:{_INTRODUCES})\s*(?:[?!;:]|[.,](?!\d)|$|\b(?:in|at|for|from|to|of|on|by|with|between|and|or)\b)"
)
# A word that introduces something where nothing follows: "named and", "$ for", "in ?".
_GAP = re.compile(
    rf"([^\W\d_]+|[$€£#:=])(?=\s*(?:[?!;:]|[.,](?!\d)|$|\b(?:{_INTRODUCES}|and|or|please|that|which|who|during|until|since)\b))"
)
_RESULT = re.compile(r"[$<{]*(?:[A-Za-z]+_)?(?:call|result|var)_?(\d{1,3})[>}$]*(?:\.\w+)*[>}$]*", re.IGNORECASE)
_MAX_RIVALS = 50  # texts of the query that may be meant instead of a value
_MAX_GAPS = 4000  # characters of a query that are searched for gaps
_MAX_TOOL = 4000  # characters of a tool that are searched


class ValueFeatures:
    """The features of the values of one row.

    Args:
        comparison: The calls compared with the query.
        habits: What is usual for parameters, see `habits.py`.
    """

    def __init__(self, comparison: Comparison, habits: Habits):
        self.comparison, self.text, self.habits = comparison, comparison.text, habits
        self.left, self.meanings = comparison.text.leftovers(), Meanings(comparison)
        self._declarations: dict[tuple[str, str], str] = {}
        self._fits: dict[tuple[Place, str], float] = {}
        self._swaps: dict[tuple[int, int], dict[str, float]] = {}  # by the ids of both matches
        self.of_call: dict[int, list[ScalarMatch]] = {}
        for match in comparison.matches:
            self.of_call.setdefault(match.scalar.call, []).append(match)

    def of_values(self) -> Iterator[dict[str, float]]:
        """name → number of each value, in the order of `comparison.matches`; a name that is missing is 0."""
        of_row = self._of_row()
        for match in self.comparison.matches:
            features = of_row | self._of_parameter(match) | form_features(match, self.comparison)
            features |= self._placed(match) if match.place else self._unplaced(match)
            if kind_of(match.scalar.value) == "text" and not match.scalar.is_key:
                features |= self.meanings.of_text(match, self._rivals(match), self._rival_parameters(match))
            yield features

    def _of_row(self) -> dict[str, float]:
        text, kinds = self.text, [kind for *_, kind in self.left]
        return {
            "dangling": float(len(_DANGLING.findall(text.low[:20_000]))),
            **{f"left_{kind}": float(kinds.count(kind)) for kind in ("number", "date", "name", "quote")},
            "calls": float(len(self.comparison.calls)),
            "values": log1p(len(self.comparison.matches)),
            "unstated_values": float(sum(m.state in ("absent", "hinted") for m in self.comparison.matches)),
            "tools": log1p(len(self.comparison.tools)),
            "query_length": log1p(len(text.low) / 100),
        }

    def _of_parameter(self, match: ScalarMatch) -> dict[str, float]:
        """What the parameter declares, and whether the query speaks of it."""
        scalar, declared = match.scalar, self.comparison.declared(match.scalar)
        name, description = parameter_words(scalar.param, str(declared.get("description")))
        words = self.text.words
        return {
            "kind": _KINDS[kind_of(scalar.value)],
            "shape": float(shape_of(scalar.value)),
            "state": _STATES[detailed_state(match, self.comparison)],
            "required": float(scalar.required),
            "is_default": float(scalar.is_default),
            "is_key": float(scalar.is_key),
            "enum": float(bool(declared.get("enum"))),
            "has_default": float("default" in declared),
            "many": float(declared.get("type") in ("array", "tuple", "dict", "object")),
            "name_in_query": sum(word in words for word in name) / max(1, len(name)),
            "description_in_query": sum(word in words for word in description) / max(1, len(description)) ** 0.5,
            "seldom_stated": self.habits.seldom_stated(name),
        }

    def _placed(self, match: ScalarMatch) -> dict[str, float]:
        """Whether a stated value stands where the values of its parameter stand, and not those of another one."""
        assert match.place
        scalar, cue = match.scalar, self.text.cue(match.place)
        own, others = self._fit(match.place, scalar.param), self._rival_parameters(match)
        habit = self.habits.cue(cue, parameter_words(scalar.param)[0])
        habits = [self.habits.cue(cue, parameter_words(param)[0]) for param in others]
        swap = [self._of_pair(match, other) for other in self.of_call[scalar.call] if self._is_partner(match, other)]
        features = {
            "own": own,
            "cross": max((self._fit(match.place, param) for param in others), default=0.0),
            "cue": habit,
            "cue_cross": max(habits, default=0.0) - habit,
        }
        features["means_around"] = self.meanings.of_place(match)
        for name in ("swap_fit", "swap_cue", "swap_tool", "swap_meaning", "swap_around"):
            features[name] = max((gain[name] for gain in swap), default=-9.0)
        features["inverted"] = sum(gain["inverted"] for gain in swap)
        return features

    def _unplaced(self, match: ScalarMatch) -> dict[str, float]:
        """What could be meant instead of a value that is not stated, and how much of it is stated."""
        text, scalar, shape = self.text, match.scalar, shape_of(match.scalar.value)
        low = str(scalar.value).lower()[:300]
        rivals = self._rivals(match)
        tokens, name = [stem(token) for token in TOKEN.findall(low)], parameter_words(scalar.param)[0]
        features = {
            "rivals": float(len(rivals)),
            "rival_fit": max((self._fit(place, scalar.param) for place in rivals), default=0.0),
            "rival_shape": float(any(shape_of(text.raw[slice(*place)]) == shape for place in rivals)),
            "overlap": sum(token in text.words for token in tokens) / max(1, len(tokens)),
            "in_tool": float(len(low) > 2 and low in self._tool_text(scalar.call)),
            "gap_cue": max((self.habits.cue(cue, name) for cue in self._gaps), default=0.0),
        }
        if isinstance(scalar.value, str):
            of_value = roots(low)
            features["root_overlap"] = len(of_value & self._roots) / max(1, len(of_value))
            features["initials"] = float(len(low) > 1 and low in self._initials)
        elif not isinstance(scalar.value, bool) and scalar.value is not None:
            features["implied"] = float(self.comparison.may_imply(scalar.value))
        return features

    def _rivals(self, match: ScalarMatch) -> list[Place]:
        """What no call uses and could be meant instead of a value that is not stated."""
        shape, raw = shape_of(match.scalar.value), self.text.raw
        left = [] if match.place else self.left[:_MAX_RIVALS]
        return [(a, b) for a, b, _ in left if _may_replace(shape, raw[a:b])]

    def _rival_parameters(self, match: ScalarMatch) -> list[str]:
        """The other parameters of the tool that declare the same type."""
        spec = self.comparison.specs.get(self.comparison.calls[match.scalar.call].name)
        kind = self.comparison.declared(match.scalar).get("type")
        parameters = spec.parameters.items() if spec else ()
        return [param for param, of in parameters if param != match.scalar.param and of.get("type") == kind][:12]

    def _is_partner(self, match: ScalarMatch, other: ScalarMatch) -> bool:
        a, b = match.scalar, other.scalar
        same_kind = isinstance(a.value, str) == isinstance(b.value, str) and not (a.is_key or b.is_key)
        return bool(other.place) and a.param != b.param and same_kind

    def _of_pair(self, match: ScalarMatch, other: ScalarMatch) -> dict[str, float]:
        """What `_swap` says of two values, whichever comes first."""
        if (gain := self._swaps.get((id(other), id(match)))) is None:
            gain = self._swaps[id(match), id(other)] = self._swap(match, other)
        return gain

    def _swap(self, match: ScalarMatch, other: ScalarMatch) -> dict[str, float]:
        """How much better two values would fit if swapped: by words, by habits, by the tool's text and order."""
        (a, at_a), (b, at_b) = (match.scalar, match.place), (other.scalar, other.place)
        assert at_a and at_b
        cue_a, cue_b, habits = self.text.cue(at_a), self.text.cue(at_b), self.habits
        name_a, name_b = parameter_words(a.param)[0], parameter_words(b.param)[0]
        tool = self.comparison.specs.get(self.comparison.calls[a.call].name)
        order = list(tool.parameters) if tool else []
        by_value, by_words = self.meanings.of_swap(match, other)
        is_first = order.index(a.param) < order.index(b.param) if {a.param, b.param} <= set(order) else at_a < at_b
        return {
            "swap_fit": self._fit(at_a, b.param) + self._fit(at_b, a.param)
            - self._fit(at_a, a.param) - self._fit(at_b, b.param),
            "swap_cue": habits.cue(cue_a, name_b) + habits.cue(cue_b, name_a)
            - habits.cue(cue_a, name_a) - habits.cue(cue_b, name_b),
            "swap_tool": self._is_declared_for(match, other) + self._is_declared_for(other, match)
            + 0.5 * (shape_of(a.value) != shape_of(b.value)),
            "swap_meaning": by_value,
            "swap_around": by_words,
            "inverted": float(is_first != (at_a < at_b)),
        }  # fmt: skip

    def _is_declared_for(self, match: ScalarMatch, other: ScalarMatch) -> bool:
        """Whether a value is in the declaration of the other's parameter and not in that of its own."""
        value = str(match.scalar.value).lower()
        if len(value) <= 2 or value not in self._declaration(other):
            return False
        return value not in self._declaration(match)

    def _declaration(self, match: ScalarMatch) -> str:
        key = self.comparison.calls[match.scalar.call].name, match.scalar.param
        if key not in self._declarations:
            self._declarations[key] = str(self.comparison.declared(match.scalar)).lower()
        return self._declarations[key]

    def _fit(self, place: Place, param: str) -> float:
        """How many words of a parameter's name and description stand around a place."""
        if (place, param) not in self._fits:
            name, description = parameter_words(param, self._descriptions.get(param, ""))
            near = self.text.near(place)
            self._fits[place, param] = len(name & near) + 0.3 * min(2, len(description & near))
        return self._fits[place, param]

    def _tool_text(self, call: int) -> str:
        return str(self.comparison.tools.get(self.comparison.calls[call].name)).lower()[:_MAX_TOOL]

    @cached_property
    def _descriptions(self) -> dict[str, str]:
        return {
            param: str(declared.get("description"))
            for spec in self.comparison.specs.values()
            for param, declared in spec.parameters.items()
        }

    @cached_property
    def _gaps(self) -> frozenset[str]:
        """The words of the query after which a value may be missing."""
        return frozenset(stem(word) for word in _GAP.findall(self.text.low[:_MAX_GAPS]))

    @cached_property
    def _roots(self) -> frozenset[str]:
        return roots(self.text.low[:4000])

    @cached_property
    def _initials(self) -> str:
        return "".join(token[0][0] for token in TOKEN.finditer(self.text.raw[:4000]) if token[0][0].isupper()).lower()


def kind_of(value: Any) -> str:
    """flag, text or number."""
    if isinstance(value, bool) or value is None or (isinstance(value, str) and value.lower() in ("true", "false")):
        return "flag"
    return "text" if isinstance(value, str) else "number"


def detailed_state(match: ScalarMatch, comparison: Comparison) -> str:
    """The state of a value, in more detail where the query does not state it."""
    scalar, state = match.scalar, match.state
    if state not in ("absent", "hinted"):
        return state
    if scalar.is_default:
        return "default"
    if kind_of(scalar.value) != "text":
        return state
    if (earlier := _RESULT.fullmatch(scalar.value)) and int(earlier[1]) < scalar.call:
        return "earlier"  # the result of an earlier call
    declared, value = comparison.declared(scalar), scalar.value.lower()
    if state == "hinted" and comparison.text.places(scalar.value):
        return "reused"  # stated once, by several calls
    if declared.get("enum"):
        return f"{state}_choice"
    head = value.split(",")[0].strip()
    if "," in value and len(head) > 2 and head in comparison.text.low:
        return "extended"  # "Paris" of "Paris, France"
    return "known" if value in str(declared.get("description")).lower() else state


def _may_replace(shape: int, other: str) -> bool:
    """Whether a text of the query may be meant instead of a value of a shape: a number for a number."""
    of_number = shape_of(other) in (1, 2)
    return of_number if shape in (1, 2) else not of_number


@lru_cache(maxsize=16384)
def parameter_words(param: str, description: str = "") -> tuple[frozenset[str], frozenset[str]]:
    """The words of a parameter's name, and the other telling ones of its description."""
    name = frozenset(name_words(param)) - {"of", "the", "a", "in", "on", "by", "for"}
    telling = {word for word in name_words(description[:400]) if len(word) > 2}
    return name, frozenset(telling - COMMON_WORDS - STOP_WORDS - VERBS.keys() - name)
