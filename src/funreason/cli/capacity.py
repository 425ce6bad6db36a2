"""`funreason capacity`: the tokens, hours and cost of a run."""

import argparse
import json
import math
from typing import TYPE_CHECKING

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
    capacity.add_argument("--rows", type=_count, help="rows of the source; default: those of the run or the file")
    capacity.add_argument("--speed", type=given_path, metavar="FILE", help="a file that `measure` has written")
    capacity.add_argument("--prefill", type=_rate, help="prompt tokens per second per GPU")
    capacity.add_argument("--decode", type=_rate, help="completion tokens per second per GPU")
    capacity.add_argument("--start-s", type=_amount, help="seconds until a stage's model is loaded")
    capacity.add_argument("--gpus", type=_count, help="number of GPUs")
    capacity.add_argument("--price", type=_amount, help="money per GPU hour")
    capacity.add_argument("--json", action="store_true", help="for scripts")
    actions = capacity.add_subparsers(prog=name, title="action, instead of an estimate", metavar="measure")
    speed = "how fast a model answers on this machine, without the cache"
    measure = actions.add_parser("measure", help=speed)
    measure.add_argument(
        "model", type=given_path, metavar="MODEL", help="models/teacher.json, or the folder of a checkpoint"
    )
    measure.add_argument(
        "--rows", type=_count, default=200, help="prompts, at least 4 times llm.max_num_seqs; default: 200"
    )
    measure.add_argument("--out", type=given_path, metavar="FILE", help="also write the result there, for --speed")
    measure.set_defaults(run=_measure)


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a count; give a whole number, 1 or more")
    return int(text)


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


def _estimate(arguments: argparse.Namespace) -> None:
    from funreason.plan.capacity import assumed_run, measured_run, read_assumptions, with_hours

    folder = arguments.folder or "metrics"
    assumptions = read_assumptions(arguments.assume) if arguments.assume else None
    speed = _speed(arguments, assumptions)
    if assumptions:
        rows = arguments.rows or assumptions.rows
        estimates = assumed_run(assumptions, rows)
    else:
        estimates, rows = measured_run(folder, arguments.rows)
    if arguments.json:
        stages = with_hours(estimates, speed)
        print(json.dumps({"rows": rows, "speed": speed.model_dump(), "stages": stages}, indent=2))
    else:
        print(_text(estimates, rows, speed, arguments.assume or folder))


def _speed(arguments: argparse.Namespace, assumptions: "Assumptions | None") -> "Speed":
    """From the file of assumptions, then from the measurement, then from the command line: the last one counts."""
    from funreason.plan.capacity import Speed, read_speed

    speed = read_speed(arguments.speed) if arguments.speed else assumptions.speed if assumptions else Speed()
    options = {name: getattr(arguments, name) for name in Speed.model_fields}
    return speed.model_copy(update={name: value for name, value in options.items() if value is not None})


def _text(estimates: "list[StageEstimate]", rows: int, speed: "Speed", source: str) -> str:
    from funreason.plan.capacity import with_hours
    from funreason.plan.estimate import table

    figures = with_hours(estimates, speed)
    columns = {
        name.replace("_", " "): [f"{row[name]:,.2f}" for row in figures]
        for name in ("hours", "gpu_hours", "cost")
        if name in figures[-1]
    }
    lines = [f"{rows:,} rows, tokens per row from {source}", table(estimates, beside=columns)]
    if not columns:
        lines += ["no hours: give --prefill and --decode (tokens per second per GPU), or measure them on your machine:"]
        lines += ["funreason capacity measure models/teacher.json --out speed.json"]
        lines += ["funreason capacity --speed speed.json"]
        return "\n".join(lines)
    price = "no price" if speed.price is None else f"{speed.price:g} per GPU hour"
    rates = f"{speed.prefill:,.0f} prefill and {speed.decode:,.0f} decode tokens per second each"
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
