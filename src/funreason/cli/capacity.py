"""`funreason capacity`: the tokens, hours and cost of a run."""

import argparse
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from funreason.cli.counts import count
from funreason.cli.places import given_path

if TYPE_CHECKING:
    from funreason.plan.capacity import Assumptions, Speed
    from funreason.plan.estimate import StageEstimate


def add(capacity: argparse.ArgumentParser) -> None:
    """`funreason capacity`."""
    name = capacity.prog
    capacity.usage = f"{name} [OPTION …]\n       {name} measure MODEL [OPTION …]"
    capacity.set_defaults(run=_estimate)
    source = capacity.add_mutually_exclusive_group()
    finished = "metrics of a finished run; default: metrics"
    source.add_argument("--from", dest="folder", type=given_path, metavar="FOLDER", help=finished)
    assumed = "a file of assumptions, such as configs/capacity/32b.yaml"
    source.add_argument("--assume", type=given_path, metavar="FILE", help=assumed)
    counted = "count a sample of your rows with the tokenizers of params.yaml's models, before there is a run"
    source.add_argument("--count", action="store_true", help=counted)
    _add_lengths(capacity)
    capacity.add_argument("--rows", type=count, help="rows of the source; default: those of the run or the file")
    capacity.add_argument("--speed", type=given_path, metavar="FILE", help="a file that `measure` has written")
    capacity.add_argument("--prefill", type=_rate, help="prompt tokens per second per GPU")
    capacity.add_argument("--decode", type=_rate, help="completion tokens per second per GPU")
    capacity.add_argument(
        "--train", type=_rate, help="tokens trained on per second per GPU; default: a third of prefill"
    )
    capacity.add_argument("--start-s", type=_amount, help="seconds until a stage's model is loaded")
    capacity.add_argument("--gpus", type=count, help="number of GPUs")
    capacity.add_argument("--price", type=_amount, help="money per GPU hour")
    capacity.add_argument("--json", action="store_true", help="for scripts")
    actions = capacity.add_subparsers(prog=name, title="action, instead of an estimate", metavar="measure")
    speed = "how fast a model answers on this machine, without the cache"
    measure = actions.add_parser("measure", help=speed)
    measure.add_argument(
        "model", type=given_path, metavar="MODEL", help="models/teacher.json, or the folder of a checkpoint"
    )
    measure.add_argument(
        "--rows", type=count, default=200, help="prompts, at least 4 times llm.max_num_seqs; default: 200"
    )
    measure.add_argument("--out", type=given_path, metavar="FILE", help="also write the result there, for --speed")
    measure.set_defaults(run=_measure)


def _add_lengths(capacity: argparse.ArgumentParser) -> None:
    counting = capacity.add_argument_group("with --count")
    counting.add_argument("--sample", type=count, default=200, help="rows that are counted; default: 200")
    reasoning = (
        "tokens of a reasoning; default: those of the rows that bring one, else 600 (teachers write 300 to 1,300)"
    )
    counting.add_argument("--reasoning", type=count, metavar="TOKENS", help=reasoning)
    counting.add_argument("--reply", type=count, default=400, metavar="TOKENS", help="of a judge; default: 400")
    counting.add_argument("--code", type=count, default=200, metavar="TOKENS", help="of a solution; default: 200")
    other = "a tokenizer of the same family, for models whose own is not here"
    counting.add_argument("--tokenizer", type=given_path, metavar="FOLDER", help=other)


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount; give a number, 0 or more")
    return value


def _rate(text: str) -> float:
    if not (value := _amount(text)):
        raise argparse.ArgumentTypeError(f"{text!r} tokens per second never end; give more than 0")
    return value


@dataclass(frozen=True)
class _Source:
    """Stages, rows, and for people: where the counts come from, and what to beware of."""

    estimates: "list[StageEstimate]"
    rows: int
    title: str
    notes: list[str]
    warnings: list[str]


def _estimate(arguments: argparse.Namespace) -> None:
    from funreason.plan.capacity import read_assumptions, with_hours

    assumptions = read_assumptions(arguments.assume) if arguments.assume else None
    speed = _speed(arguments, assumptions)
    source = _counted(arguments) if arguments.count else _known(arguments, assumptions)
    if arguments.json:
        stages = with_hours(source.estimates, speed)
        told = {"source": source.title, "notes": source.notes, "warnings": source.warnings}
        print(json.dumps({"rows": source.rows, **told, "speed": speed.model_dump(), "stages": stages}, indent=2))
    else:
        print(_text(source, speed))


def _known(arguments: argparse.Namespace, assumptions: "Assumptions | None") -> _Source:
    """From a file of assumptions, or a finished run."""
    from funreason.config import load_params
    from funreason.plan.capacity import assumed_run, measured_rest, measured_run
    from funreason.plan.provenance import foreign_counts

    if assumptions:
        rows = arguments.rows or assumptions.rows
        return _Source(assumed_run(assumptions, rows), rows, f"tokens per row from {arguments.assume}", [], [])
    folder, params = arguments.folder or "metrics", load_params()
    estimates, rows = measured_run(folder, arguments.rows)
    estimates += measured_rest(folder, rows, params.train.epochs)
    return _Source(estimates, rows, f"tokens per row from {folder}", [], foreign_counts(params, folder))


def _counted(arguments: argparse.Namespace) -> _Source:
    from funreason.config import load_params
    from funreason.plan.counted import CountedRun, Lengths
    from funreason.plan.tokens import Counters

    params = load_params()
    lengths = Lengths(arguments.reasoning, arguments.reply, arguments.code)
    counted = CountedRun(params, Counters(params, arguments.tokenizer), lengths, arguments.sample)
    result = counted.run(arguments.rows)
    return _Source(result.estimates, result.rows, "tokens counted, at most", result.notes, [])


def _speed(arguments: argparse.Namespace, assumptions: "Assumptions | None") -> "Speed":
    """From the file of assumptions, then from the measurement, then from the command line: the last one counts."""
    from funreason.plan.capacity import Speed, read_speed

    speed = read_speed(arguments.speed) if arguments.speed else assumptions.speed if assumptions else Speed()
    options = {name: getattr(arguments, name) for name in Speed.model_fields}
    return speed.model_copy(update={name: value for name, value in options.items() if value is not None})


def _text(source: _Source, speed: "Speed") -> str:
    from funreason.plan.capacity import FORWARD_AND_BACKWARD, with_hours
    from funreason.plan.estimate import table

    figures = with_hours(source.estimates, speed)
    columns = {
        name.replace("_", " "): [f"{row[name]:,.2f}" for row in figures]
        for name in ("hours", "gpu_hours", "cost")
        if name in figures[-1]
    }
    lines = [*(f"warning: {text}" for text in source.warnings), f"{source.rows:,} rows, {source.title}"]
    lines += [table(source.estimates, beside=columns), *(f"- {note}" for note in source.notes)]
    if not columns:
        lines += ["no hours: give --prefill and --decode (tokens per second per GPU), or measure them on your machine:"]
        lines += ["funreason capacity measure models/teacher.json --out speed.json"]
        lines += ["funreason capacity --speed speed.json"]
        return "\n".join(lines)
    price = "no price" if speed.price is None else f"{speed.price:g} per GPU hour"
    rates = f"{speed.prefill:,.0f} prefill and {speed.decode:,.0f} decode tokens per second each"
    if any(estimate.trains for estimate in source.estimates):
        rates += (
            f", {speed.train:,.0f} in training" if speed.train else f", prefill / {FORWARD_AND_BACKWARD} in training"
        )
    return "\n".join([*lines, f"{speed.gpus} GPUs, {rates}, {speed.start_s:g} s until a stage starts, {price}"])


def _measure(arguments: argparse.Namespace) -> None:
    from funreason.config import load_params
    from funreason.core.jsonio import write_json
    from funreason.plan.measure import measure

    params = load_params()
    if arguments.rows < 4 * params.llm.max_num_seqs:
        print(f"warning: {arguments.rows} prompts are few for llm.max_num_seqs {params.llm.max_num_seqs}; the speed")
        print(f"         will come out too low; give --rows {4 * params.llm.max_num_seqs} or more")
    result = measure(arguments.model, arguments.rows, params)
    if arguments.out:
        write_json(arguments.out, result)
    print(json.dumps(result, indent=2))
