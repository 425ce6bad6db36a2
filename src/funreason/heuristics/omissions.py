"""What a query has and no call uses: texts that could be a value, and clauses that could be a request of their own.

Each such place has features, from which the verifier tells how likely a call lacks it: whether it is listed beside a
value that a call has, whether the words around it are those of a parameter, whether a tool that nobody called fits it.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from math import log1p

from funreason.heuristics.comparison import Comparison
from funreason.heuristics.text import Place
from funreason.heuristics.tool_fit import root_fit, telling_roots, telling_vector, tool_roots, tool_vector
from funreason.heuristics.value_features import parameter_words
from funreason.heuristics.value_form import shape_of
from funreason.heuristics.vectors import Vector, text_vector
from funreason.heuristics.words import COMMON_WORDS, STOP_WORDS, VERBS, roots, stem

_MAX_PLACES, _MAX_TOOLS, _MAX_SCAN = 24, 12, 4_000  # what is looked at of a row, and characters of its query
_KINDS = {"number": 0.0, "date": 1.0, "quote": 2.0, "name": 3.0, "word": 4.0, "clause": 5.0}
_JOIN = r"(?:\s*(?:,|;|/|、|，)\s*(?:(?:and|or|then)\s+)?|\s+(?:and|or|versus|vs\.?)\s+|\s*(?:&|和|与|及|或)\s*)"
_JOINED = re.compile(rf"[\"'”’」》%]?{_JOIN}(?:(?:the|an?|in|of|for|from|at|with|to)\s+)?[\"'“‘「《$€£]?$")
_LISTED_WORD = re.compile(rf"[\"'”’」》%]?{_JOIN}([^\W\d_]{{3,}})")
_CLAUSE_END = re.compile(
    r"[.?!;\n]+(?=\s|$)|[。？！；]|,\s(?=(?:and\s)?(?:then|also|finally|lastly|next|after)\b)|，(?=然后|并|再)"
)
_STEP = re.compile(
    r"\b(?:first|second|third|fourth|next|then|also|finally|lastly|additionally|furthermore|moreover|after|another)"
    r"(?:ly)?\b"
    r"|首先|其次|然后|另外|最后|同时|此外|还"
)
_GAP = 16  # characters between two values of a list


class Omissions:
    """The places of a query that no call uses, with their features.

    Args:
        comparison: The calls, freshly compared with the query.
    """

    def __init__(self, comparison: Comparison):
        self.comparison, self.text = comparison, comparison.text
        self.claimed = sorted({match.place for match in comparison.matches if match.place})
        self.low = self.text.low[:_MAX_SCAN]
        ends = [0, *(match.end() for match in _CLAUSE_END.finditer(self.low)), len(self.low)]
        self.clauses = [(a, b) for a, b in zip(ends, ends[1:], strict=False) if b - a > 8]
        self._of_clause: dict[Place, dict[str, float]] = {}

    @cached_property
    def places(self) -> list[tuple[int, int, str]]:
        """(start, end, kind) of the places: leftover values, words listed beside a value, clauses without a value."""
        places = [(a, b, kind) for a, b, kind in self.text.leftovers() if b <= _MAX_SCAN]
        for _, end in self.claimed:
            word = _LISTED_WORD.match(self.low, end)
            if word and self.text.is_unclaimed(word.span(1)) and stem(word[1]) not in _EMPTY:
                places.append((*word.span(1), "word"))
        places += [(a, b, "clause") for a, b in self.clauses if b - a > 20 and self.text.is_unclaimed((a, b))]
        return places[:_MAX_PLACES]

    def features(self) -> Iterator[dict[str, float]]:
        """name → number of each place."""
        kinds = [kind for *_, kind in self.places]
        of_row = {
            "places": float(len(kinds)),
            "clause_places": float(kinds.count("clause")),
            "calls": float(len(self.comparison.calls)),
            "parallel": float(len(self.comparison.calls) - len(self.comparison.names)),
            "tools": log1p(len(self.comparison.tools)),
            "steps": float(len(_STEP.findall(self.low))),
            "clauses": float(len(self.clauses)),
        }
        for start, end, kind in self.places:
            yield of_row | self._of_place(start, end, kind) | self._in_clause(start, end)

    def _of_place(self, start: int, end: int, kind: str) -> dict[str, float]:
        raw, low = self.text.raw[start:end], self.low[start:end]
        features = {"kind": _KINDS[kind], "words": log1p(len(low.split()) + len(low) / 20)}
        if kind == "clause":
            return features
        inner = low.strip("'\"“”‘’「」《》『』")
        before, after = self._listed(start, end)
        partner = before or after
        near = self.text.near((start, end))
        return features | {
            "listed": float(before is not None) + float(after is not None),
            "same_shape": float(partner is not None and shape_of(self.text.raw[slice(*partner)]) == shape_of(raw)),
            "in_answer": float(inner in self._answer),
            "in_tools": float(len(inner) > 2 and inner in self._tools_text),
            "shape": float(shape_of(raw)),
            "own_fit": self._parameter_fit(near, called=True),
            "other_fit": self._parameter_fit(near, called=False),
            "again": float(self.low.count(inner) - 1) if len(inner) > 1 else 0.0,
            "at": start / max(1, len(self.low)),
            "means_value": max((float(text_vector(inner) @ value) for value in self._values), default=-1.0),
        }

    def _listed(self, start: int, end: int) -> tuple[Place | None, Place | None]:
        """The claimed places that stand in a list right before and right after a place."""
        before = next((p for p in reversed(self.claimed) if p[1] <= start), None)
        after = next((p for p in self.claimed if p[0] >= end), None)
        if before and not (start - before[1] <= _GAP and _JOINED.match(self.low[before[1] : start])):
            before = None
        if after and not (after[0] - end <= _GAP and _JOINED.match(self.low[end : after[0]])):
            after = None
        return before, after

    def _parameter_fit(self, near: frozenset[str], called: bool) -> float:
        """The most words of one parameter's name and description around a place."""
        return max((len(n & near) + 0.3 * min(2, len(d & near)) for n, d in self._parameters[called]), default=0.0)

    def _in_clause(self, start: int, end: int) -> dict[str, float]:
        """How well the tools fit the clause of a place, and whether the calls use something else of it."""
        around = max(0, start - 60), min(len(self.low), end + 60)
        clause = next(((a, b) for a, b in self.clauses if a <= start < b), around)
        if clause not in self._of_clause:
            words, (a, b) = telling_roots(self.low[slice(*clause)]), clause
            called = [fit for name, fit in self._fits(words) if name in self.comparison.specs]
            others = [fit for name, fit in self._fits(words) if name not in self.comparison.specs]
            best, other = max(called, default=0.0), max(others, default=0.0)
            self._of_clause[clause] = {
                "clause_claims": float(sum(a <= place[0] < b for place in self.claimed)),
                "clause_called": best,
                "clause_other": other,
                "clause_margin": other - best,
                "clause_step": float(bool(_STEP.search(self.low, a, min(b, a + 40)))),
                "clause_uncovered": len(words - self._covered) / max(1, len(words)),
                "clause_words": float(len(words)),
                "clause_question": float("?" in self.low[b - 2 : b + 1]),
                **self._meaning_of(a, b),
            }
        return self._of_clause[clause]

    def _meaning_of(self, start: int, end: int) -> dict[str, float]:
        """How near a clause is in meaning to the called tools, and to the nearest of the others."""
        clause = telling_vector(self.low[start:end])
        near = {name: float(clause @ vector) for name, vector in self._tool_vectors.items()}
        called = max((fit for name, fit in near.items() if name in self.comparison.specs), default=-1.0)
        other = max((fit for name, fit in near.items() if name not in self.comparison.specs), default=-1.0)
        return {"means_called": called, "means_other": other, "means_margin": other - called}

    @cached_property
    def _tool_vectors(self) -> dict[str, Vector]:
        """The vectors of the tools that are looked at, of their names and descriptions."""
        tools = self.comparison.tools
        return {name: tool_vector(name, str(tools[name].get("description"))) for name, *_ in self._tool_roots}

    @cached_property
    def _values(self) -> list[Vector]:
        """The vectors of the texts that the calls have."""
        texts = {match.scalar.value for match in self.comparison.matches if isinstance(match.scalar.value, str)}
        return [text_vector(text[:200]) for text in sorted(texts)]

    def _fits(self, words: frozenset[str]) -> list[tuple[str, float]]:
        return [(name, sum(root_fit(words, *of_both))) for name, *of_both in self._tool_roots]

    @cached_property
    def _tool_roots(self) -> list[tuple[str, frozenset[str], frozenset[str]]]:
        names = [*self.comparison.names, *(n for n in self.comparison.tools if n not in self.comparison.specs)]
        tools = self.comparison.tools
        return [
            (name, *tool_roots(name, str(tools[name].get("description"))))
            for name in names[:_MAX_TOOLS] if name in tools
        ]  # fmt: skip

    @cached_property
    def _covered(self) -> frozenset[str]:
        """The roots of the called tools and of the values of the calls."""
        of_tools = [of_tool for name, _, of_tool in self._tool_roots if name in self.comparison.specs]
        return roots(self._answer[:_MAX_SCAN]).union(*of_tools)

    @cached_property
    def _answer(self) -> str:
        return "\n".join(str(match.scalar.value) for match in self.comparison.matches).lower()

    @cached_property
    def _tools_text(self) -> str:
        return "\n".join(str(self.comparison.tools.get(name)) for name in self.comparison.names).lower()[:8000]

    @cached_property
    def _parameters(self) -> dict[bool, list[tuple[frozenset[str], frozenset[str]]]]:
        """Whether it is a called tool's → the words of each parameter."""
        return {
            True: [
                parameter_words(param, str(of.get("description")))
                for spec in self.comparison.specs.values() for param, of in spec.parameters.items()
            ],
            False: [
                words
                for name, tool in list(self.comparison.tools.items())[:_MAX_TOOLS] if name not in self.comparison.specs
                for words in _declared_words(tool)
            ],
        }  # fmt: skip


_EMPTY = frozenset(stem(word) for word in STOP_WORDS | COMMON_WORDS | frozenset(VERBS))


def _declared_words(tool: dict) -> list[tuple[frozenset[str], frozenset[str]]]:
    """The words of the parameters of a tool that nobody called, as far as they can be read."""
    parameters = tool.get("parameters")
    properties = parameters.get("properties", parameters) if isinstance(parameters, dict) else {}
    if not isinstance(properties, dict):
        return []
    return [
        parameter_words(param, str(of.get("description")) if isinstance(of, dict) else "")
        for param, of in list(properties.items())[:20]
    ]
