"""`funreason score`: the official benchmarks for any model, in any folder, without the pipeline."""

import argparse
import json
import re
from pathlib import Path

from funreason.cli.parity import given_model
from funreason.cli.places import given_path, writable

SUMMARIES = (  # benchmark: the numbers of its line, as paths into the results
    ("bfcl", ("non_live_ast", "live", "overall", "multi_turn", "memory", "web_search", "leaderboard")),
    ("acebench", ("normal", "special", "agent", "overall")),
)

_OPTIONS = (  # what errors name, the parameters of the stages, and what it is called here
    ("set llm.engine: vllm", "leave --server out"),
    ("llm.server.base_url", "--server"),
    ("llm.server.api_key_env", "--key-env"),
    ("evaluate.acebench.data", "--acebench"),
    ("evaluate.api_bank", "--api-bank"),
    ("evaluate.code.evalplus_data", "--evalplus-data"),
    ("evaluate.sandbox", "--sandbox"),
    ("models.* in params.yaml", "MODEL"),
)


def add(score: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    score.add_argument("model", nargs="?", metavar="MODEL", type=given_model,
                       help="a folder, a hub id, or with --server the server's name for it")  # fmt: skip
    score.add_argument("--benchmarks", metavar="LIST", help="bfcl, acebench, api_bank, humaneval, humaneval+, mbpp+")
    score.add_argument("--limit", type=int, metavar="N", help="first rows of each category; default: all")
    score.add_argument("--server", metavar="URL", help="an OpenAI-compatible server, http://localhost:8000/v1")
    score.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the server's key")
    score.add_argument("--tools", action="store_true", help="ask BFCL by the server's tools API, not by its prompt")
    score.add_argument("--max-tokens", type=int, default=1024, metavar="N", help="of an answer; default: 1024")
    score.add_argument("--max-model-len", type=int, metavar="N", help="prompt and answer; default: the model's own")
    score.add_argument("--bfcl-version", choices=("v4", "v3"), default="v4", help="default: v4")
    score.add_argument("--categories", default="single_turn", metavar="LIST", help="of BFCL; default: single_turn")
    score.add_argument("--acebench", metavar="FOLDER", type=given_path, help="a checkout of chenchen0103/ACEBench")
    score.add_argument("--languages", default="en", metavar="LIST", help="of ACEBench: en,zh; default: en")
    score.add_argument("--user-model", metavar="NAME", help="the server's model that plays ACEBench's user")
    score.add_argument("--api-bank", metavar="FOLDER", type=given_path, help="with level-1-api_processed.json")
    score.add_argument("--evalplus-data", metavar="FOLDER", type=given_path, help="with HumanEvalPlus.jsonl")
    score.add_argument("--rescore", metavar="FOLDER", type=given_path, help="BFCL's result files, in place of a model")
    score.add_argument("--sandbox", default="auto", metavar="MODE", help="as evaluate.sandbox; default: auto")
    score.add_argument("--out", metavar="FOLDER", type=given_path, help="of the results; default: score/<model>")
    score.add_argument("--json", action="store_true", help="for scripts")
    score.set_defaults(run=_score)


def _score(arguments: argparse.Namespace) -> None:
    from funreason.core.errors import FunReasonError

    try:
        _run(arguments)
    except FunReasonError as error:
        text = str(error)
        for parameter, option in _OPTIONS:
            text = text.replace(parameter, option)
        raise type(error)(text) from None


def _run(arguments: argparse.Namespace) -> None:
    from funreason.core.errors import ParamsError
    from funreason.sandbox import isolation

    mode = isolation.resolve(arguments.sandbox)
    if bool(arguments.model) == bool(arguments.rescore):
        raise ParamsError("give either MODEL with --benchmarks, or --rescore FOLDER")
    if arguments.limit is not None and arguments.limit < 1:
        raise ParamsError(f"--limit is {arguments.limit}, allowed is 1 or more")
    results = _rescored(arguments, mode) if arguments.rescore else _asked(arguments, mode)
    if arguments.json:
        print(json.dumps(results, indent=2))


def _rescored(arguments: argparse.Namespace, mode: str) -> dict:
    from dataclasses import asdict

    from funreason.core.jsonio import write_json, write_jsonl
    from funreason.score.rescore import rescore
    from funreason.score.run import write_tables

    lines, (rows, numbers) = rescore(arguments.rescore, mode)
    out = Path(arguments.out or f"score/{_file_name(Path(arguments.rescore).name)}")
    write_jsonl(out / "bfcl.jsonl", map(asdict, rows))
    write_json(out / "bfcl.json", numbers)
    write_tables(out, numbers, mode)
    _show("bfcl", numbers, lines, arguments.json)
    return {"bfcl": numbers}


def _asked(arguments: argparse.Namespace, mode: str) -> dict:
    from funreason.score.run import score
    from funreason.score.target import find

    choice = _choice(arguments, mode)
    ref, llm = find(arguments.model, arguments.server, arguments.key_env, arguments.max_model_len)
    out = Path(arguments.out or f"score/{_file_name(arguments.model)}")
    writable(out, "--out")
    results = {}
    for name, numbers in score(ref, llm, choice, out):
        results[name] = numbers
        _show(name, numbers, numbers["settings"], arguments.json)
    return results


def _choice(arguments: argparse.Namespace, mode: str):  # noqa: ANN202  (its type costs an import of vLLM's client)
    from funreason.core.errors import ParamsError
    from funreason.evaluate.acebench_data import LANGUAGES
    from funreason.evaluate.bfcl_metrics import CATEGORIES, GROUPS, MULTI_TURN, V4_ONLY, expand
    from funreason.score.run import BENCHMARKS, Choice
    from funreason.score.tools_mode import NOT_ASKED

    benchmarks = _list(arguments.benchmarks, "--benchmarks", BENCHMARKS)
    categories = _list(arguments.categories, "--categories", (*GROUPS, *CATEGORIES, *MULTI_TURN, *V4_ONLY))
    new = [name for name in categories if not set(V4_ONLY).isdisjoint(expand([name]))]
    if arguments.bfcl_version == "v3" and new:
        raise ParamsError(f"--categories names {', '.join(new)}, not in BFCL v3; leave it out, or take v4")
    if arguments.tools and not arguments.server:
        remedy = "serve it (`vllm serve … --enable-auto-tool-choice --tool-call-parser …`) and give --server URL"
        raise ParamsError(f"--tools needs a server, which reads the calls of each model's own form; {remedy}")
    if arguments.tools and not ("bfcl" in benchmarks and set(expand(categories)) - set(expand(NOT_ASKED))):
        raise ParamsError(f"--tools asks BFCL alone, and there not {', '.join(NOT_ASKED)}; nothing would be asked so")
    if arguments.user_model and not arguments.server:
        raise ParamsError("--user-model is a model of the server; give --server URL")
    return Choice(
        benchmarks, arguments.limit, arguments.max_tokens, arguments.tools, mode, categories, arguments.bfcl_version,
        arguments.acebench, _list(arguments.languages, "--languages", LANGUAGES), arguments.user_model,
        arguments.api_bank, arguments.evalplus_data,
    )  # fmt: skip


def _list(text: str | None, option: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    from funreason.core.errors import ParamsError

    names = tuple(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))
    if not names or (unknown := [name for name in names if name not in allowed]):
        seen = ", ".join(unknown) if names else "nothing"
        raise ParamsError(f"{option} names {seen}; allowed are {', '.join(allowed)}")
    return names


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", text.strip("/.")) or "model"


def _show(name: str, numbers: dict, settings: list[str], quiet: bool) -> None:
    if quiet:
        return
    print(f"\n{name}")
    for line in settings:
        print(f"  setting: {line}")
    for label, part in _lines(name, numbers):
        value = "null (a part is missing)" if part is None else _accuracy(part)
        print(f"  {label:42} {value}")


def _lines(name: str, numbers: dict) -> list[tuple[str, dict | None]]:
    summaries = dict(SUMMARIES).get(name, ())
    if name == "acebench":
        languages = {key: part for key, part in numbers.items() if key in ("en", "zh")}
        return [
            (f"{language} {label}", part)
            for language, table in languages.items()
            for label, part in [
                *table["categories"].items(),
                *((key, table[key]) for key in summaries),
                *_undisputed(table, summaries),
            ]
        ]
    if name == "bfcl":
        summed = ((key, numbers[key]) for key in summaries)
        return [*numbers["categories"].items(), *summed, *_undisputed(numbers, summaries)]
    nested = [(key, part) for key, part in numbers.items() if isinstance(part, dict) and ("n" in part)]
    return [*nested, (name, numbers)]


def _undisputed(numbers: dict, summaries: tuple[str, ...]) -> list[tuple[str, dict]]:
    """The summaries without the rows whose labels are disputed, where such rows were asked."""
    table = numbers["undisputed"] or {}
    return [(f"{key}, undisputed", table[key]) for key in summaries if table.get(key)]


def _accuracy(part: dict) -> str:
    value = part.get("accuracy", part.get("pass@1", 0.0))
    strict = part["strict"]["accuracy"] if isinstance(part.get("strict"), dict) else None
    more = f", strict {100 * strict:.1f}" if strict is not None else ""
    ceiling = f", gold {100 * part['gold']:.1f}" if part.get("gold") is not None else ""
    partial = "*" if part.get("partial") else ""
    interval = f"{100 * part['low']:.1f} to {100 * part['high']:.1f}"
    return f"{100 * value:5.1f}{partial} % ({interval}; n {part['n']}{more}{ceiling})"
