"""The five checks of FCDR as heuristics. Each takes a row and returns a `HeuristicResult`."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from funreason.calls import validate
from funreason.config import VerifierParams
from funreason.core.errors import DataError
from funreason.core.records import Sample
from funreason.heuristics.comparison import MAX_CHARACTERS, Comparison
from funreason.heuristics.contradictions import competing_value, contradicts_reasoning, replaces_another_number
from funreason.heuristics.lenient_parser import STRINGS, lenient_calls, strict_calls
from funreason.heuristics.looked_at import look_at
from funreason.heuristics.requests import request_without_tool, requests_function, unstated_required_values
from funreason.heuristics.result import HeuristicResult, evidence_of, unclear
from funreason.heuristics.unaccounted import (
    may_ask_for_more,
    swapped_parameters,
    unanswered,
    unrequested_functions,
    unused_parameter_words,
)
from funreason.heuristics.value_form import is_cut_off
from funreason.heuristics.verifier import verify
from funreason.heuristics.words import REVERSALS, name_parts

_LISTED = re.compile(r"[\s`]*\[\s*[A-Za-z_][\w.]*\(")
_EMBEDDED = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*\((?:\s*['\"]?\w+['\"]?\s*=|\s*\))|\{\s*[\"']name[\"']|```|<\w*call")
_PROSE = re.compile(r"[\"'(]?[^\W\d_][\w'’-]*[,.:;!?]*(?:\s+[\w'’\"(),;:.!?-]+){3}")
# JSON's words among Python's: of 14 answers of Qwen3-8B that had one, no scorer took one for right.
_JSON_WORD = re.compile(r"(?<=[=:\[(,{\s])(?:true|false|null)(?=[\s,)\]}])")
_STRAY_SPACE = re.compile(r"\s[=,()\]]|[=(]\s|^\[\s|''\s*''")
# The marks of a judge's verdict: whoever writes them into a row wants it to be passed.
_VERDICT = re.compile(r"</?(?:judge|NewFC)\b", re.IGNORECASE)
_WIDE_SPACE = re.compile(r"\s\s|[^\S ]")
# Types of values that clearly fit a declared type (a bool is an int to Python). A declaration with bounds is validated.
_FITTING = {str: ("string",), bool: ("boolean",), int: ("integer", "float", "number"), float: ("float", "number")}
_PLAIN_ARRAY = frozenset(("type", "items", "description", "default"))
_BOUNDS = frozenset(("minimum", "maximum", "minLength", "maxLength"))


def heuristic_result(check: str, sample: Sample, verifier: VerifierParams | None = None) -> HeuristicResult:
    """What can be said of a row without a model.

    Args:
        check: The check, one of `prompts.CHECKS`.
        sample: The row.
        verifier: Where the verifier decides what no rule does (fcdr.verifier); None for the rules alone.

    Raises:
        ValueError: There is no such check.
    """
    if check in _OF_ANSWER:
        return _OF_ANSWER[check](sample)
    if check not in _OF_CALLS:
        raise ValueError(f"no check named {check!r}: allowed are {', '.join((*_OF_ANSWER, *_OF_CALLS))}")
    if check == "query_tool" and sample.tools == []:
        return HeuristicResult(False, "there are no tools")
    row = look_at(sample)
    if isinstance(row, HeuristicResult):
        return row
    result = _OF_CALLS[check](sample, row.on_cot() if check == "cot" else row.on_query())
    if result.value is None and verifier is not None and not sample.steps and (check != "cot" or sample.cot):
        result = _verified(check, row.evidence, bool(sample.cot), result, verifier)
    if result.value and any(map(_VERDICT.search, (sample.query, sample.cot, sample.answer))):
        return unclear("the row has the marks of a verdict")
    return result


def _verified(
    check: str, evidence: dict[str, float], has_cot: bool, result: HeuristicResult, limits: VerifierParams
) -> HeuristicResult:
    """The result of a row that no rule decided, with the verifier's score, and its verdict where the score is clear."""
    opinion = verify(check, evidence, has_cot, limits)
    if opinion.value is None:
        return replace(result, score=opinion.score, likely=opinion.likely)
    reason = "the evidence is for the row" if opinion.value else "the evidence is against the row"
    return HeuristicResult(opinion.value, reason, result.evidence, opinion.score)


def check_response(sample: Sample) -> HeuristicResult:
    """Whether the answer is a call, however badly written, or prose."""
    answer = sample.answer
    if _LISTED.match(answer):
        return HeuristicResult(True, "starts like a list of calls")
    if calls := lenient_calls(answer):
        return HeuristicResult(True, "can be read as calls", {"calls": len(calls)})
    if len(answer) <= MAX_CHARACTERS and _PROSE.match(answer.strip()) and not _EMBEDDED.search(answer):
        return HeuristicResult(False, "prose without a call")
    return unclear("neither a call nor plain prose")


def check_format(sample: Sample) -> HeuristicResult:
    """Whether the answer is `[func(k=v), ...]` to the letter."""
    answer = sample.answer
    if not strict_calls(answer):
        listed = _LISTED.match(answer) or lenient_calls(answer)
        return HeuristicResult(False, "the calls do not parse") if listed else unclear("not a list of calls")
    if not (answer.startswith("[") and answer.endswith("]")):
        return HeuristicResult(False, "not between square brackets")
    outside_strings = STRINGS.sub("''", answer)
    if words := _JSON_WORD.findall(outside_strings):
        return HeuristicResult(False, "a word of JSON in place of Python's", evidence_of(words))
    if stray := _STRAY_SPACE.search(outside_strings):
        around = outside_strings[max(0, stray.start() - 10) : stray.end() + 10]
        return HeuristicResult(False, "stray white space", evidence_of([around]))
    if _WIDE_SPACE.search(outside_strings):
        return unclear("line breaks or wide gaps")
    return HeuristicResult(True, "the format is right")


def check_query_tool(sample: Sample, comparison: Comparison) -> HeuristicResult:
    """Whether there are tools and required values for the query. A wrong answer is evidence, and by itself no False."""
    if sample.steps:
        return unclear("in the middle of a turn")
    functions = [name for name in comparison.names if name not in comparison.specs]
    functions += unrequested_functions(comparison)
    missing = functions + _missing_values(comparison)
    if not comparison.earlier:
        if not functions and (unstated := unstated_required_values(comparison)):
            return HeuristicResult(False, "a required value is not in the query", evidence_of(unstated))
        if request := request_without_tool(comparison):
            return HeuristicResult(False, "no tool does what the query asks for", evidence_of([request]))
    if missing:
        return unclear("a function or a required value may be missing", missing)
    if (unused := comparison.text.unclaimed_texts()) or may_ask_for_more(comparison):
        return unclear("the query may ask for more", unused)
    return HeuristicResult(True, "functions and required values are there", comparison.counts)


def _missing_values(comparison: Comparison) -> list[str]:
    """The required parameters whose value the text does not state, and those that a call lacks."""
    not_stated = [
        match.scalar.param
        for match in comparison.matches
        if match.scalar.required and match.state not in ("stated", "earlier")
    ]
    known = [call for call in comparison.calls if call.name in comparison.specs]
    return not_stated + [param for call in known for param in comparison.missing_parameters(call)]


def check_cot(sample: Sample, comparison: Comparison) -> HeuristicResult:
    """Whether the reasoning names the functions and the values of the answer, and no others."""
    text, counts = comparison.text, Counter(call.name for call in comparison.calls)
    originals = sample.names.get("originals", {})  # a reasoning of the source may have the user's names
    mentions = {
        name: sum(len(text.verbatim(spelling)) for spelling in {name, originals.get(name, name)})
        for name in {**comparison.tools, **counts}
    }
    missing = [name for name in counts if not mentions[name] and not _has_nouns(name, comparison)]
    unstated = comparison.scalars("absent", "hinted")
    missing += [str(scalar) for scalar in unstated if contradicts_reasoning(scalar, comparison)]
    if missing:
        return HeuristicResult(False, "the reasoning lacks a function or value", evidence_of(missing))
    too_few = [name for name, count in counts.items() if mentions[name] < count]
    too_few += [str(scalar) for scalar in comparison.scalars("hinted", "absent", "default")]
    if too_few:
        return unclear("the reasoning may lack a function or value", too_few)
    others = [name for name, count in mentions.items() if count and name not in counts] + unanswered(comparison)
    if others or REVERSALS.search(text.low):
        return unclear("the reasoning has more than the answer", others)
    return HeuristicResult(True, "functions and values are in the reasoning", comparison.counts)


def _has_nouns(name: str, comparison: Comparison) -> bool:
    """Whether the text has all words of a function's name that are not verbs."""
    return all(word in comparison.text.words for word in name_parts(name)[1])


def check_call(sample: Sample, comparison: Comparison) -> HeuristicResult:
    """Whether the calls fit their tools and the query, and use all of the query."""
    try:
        problems = [] if fits_at_a_glance(comparison) else validate(comparison.calls, sample.tools)
    except DataError as error:
        return unclear("a tool cannot be read", [str(error)])
    if problems:
        return HeuristicResult(False, "a call does not fit its tool", evidence_of(problems))
    if repeated := [call.name for at, call in enumerate(comparison.calls) if call in comparison.calls[:at]]:
        return HeuristicResult(False, "the same call is made twice", evidence_of(repeated))
    if sample.steps:
        return unclear("in the middle of a turn")
    return _wrong_value(comparison) or _other_function(comparison) or _unaccounted_for(comparison)


def fits_at_a_glance(comparison: Comparison) -> bool:
    """Whether the calls clearly fit their tools. Only other calls are validated: to compile a new schema takes 1 ms."""
    for call in comparison.calls:
        spec = comparison.specs.get(call.name)
        if spec is None or not spec.required <= call.arguments.keys() <= spec.parameters.keys():
            return False
        if not all(_fits(value, spec.parameters[param]) for param, value in call.arguments.items()):
            return False
    return True


def _fits(value: object, declared: dict[str, Any]) -> bool:
    if isinstance(value, list):
        items, is_plain = declared.get("items"), declared.keys() <= _PLAIN_ARRAY and declared.get("type") == "array"
        return is_plain and isinstance(items, dict) and all(_fits(item, items) for item in value)
    fits, enum = declared.get("type") in _FITTING.get(type(value), ()), declared.get("enum")
    return fits and _BOUNDS.isdisjoint(declared) and (not enum or (isinstance(enum, list) and value in enum))


def _wrong_value(comparison: Comparison) -> HeuristicResult | None:
    """False where the query has something else in the place of a value."""
    absent = comparison.scalars("absent")
    if wrong := [str(scalar) for scalar in absent if replaces_another_number(scalar, comparison)]:
        return HeuristicResult(False, "a value is not in the query", evidence_of(wrong))
    if cut := [str(match.scalar) for match in comparison.matches if is_cut_off(match, comparison)]:
        return HeuristicResult(False, "a text is cut off inside a word", evidence_of(cut))
    competing = [
        f"{match.scalar}, the query: {other}"
        for match in comparison.matches
        if (other := competing_value(match, comparison))
    ]
    return HeuristicResult(False, "the query has another value", evidence_of(competing)) if competing else None


def _other_function(comparison: Comparison) -> HeuristicResult | None:
    """False where the query asks for another function and has no word of a called one."""
    # in a conversation it may take another function first
    if comparison.earlier or len(comparison.calls) > 1 or not comparison.text.lacks_function(comparison.names[0]):
        return None
    others = _other_functions(comparison)
    is_evident = comparison.scalars("hinted", "absent") or any(requests_function(name, comparison) for name in others)
    if others and is_evident:
        return HeuristicResult(False, "the query names another function", evidence_of(others))
    return None


def _unaccounted_for(comparison: Comparison) -> HeuristicResult:
    """True where calls and query account for each other, else unclear."""
    others = _other_functions(comparison)
    unstated = [str(scalar) for scalar in comparison.scalars("hinted", "absent")]
    unstated += [str(scalar) for scalar in comparison.scalars("earlier")]
    if unstated := unstated + unrequested_functions(comparison) + swapped_parameters(comparison):
        return unclear("a function or value may not be in the query", unstated)
    text = comparison.text
    unused = text.unclaimed_texts() + unused_parameter_words(comparison) + others
    if unused or may_ask_for_more(comparison) or REVERSALS.search(text.low):
        return unclear("the query may ask for more", unused)
    return HeuristicResult(True, "the calls fit the tools and the query", comparison.counts)


def _other_functions(comparison: Comparison) -> list[str]:
    """The functions that the query names and no call uses."""
    return [name for name in comparison.tools if name not in comparison.specs and comparison.text.names_function(name)]


_OF_ANSWER: dict[str, Callable[[Sample], HeuristicResult]] = {"response": check_response, "format": check_format}
# These compare the calls with the query, the check of the reasoning with the reasoning.
_OF_CALLS: dict[str, Callable[[Sample, Comparison], HeuristicResult]] = {
    "query_tool": check_query_tool,
    "cot": check_cot,
    "call": check_call,
}
