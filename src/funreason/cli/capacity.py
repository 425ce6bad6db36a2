"""`funreason capacity …`: what a run will take, on the command line."""

import argparse
import json
import math


def add(capacity: argparse.ArgumentParser) -> None:
    capacity.set_defaults(run=_estimate)
    source = capacity.add_mutually_exclusive_group()
    source.add_argument("--from", dest="folder", default="metrics", metavar="FOLDER", help="of a finished run: metrics")
    source.add_argument("--assume", metavar="FILE", help="of assumptions instead, as configs/capacity/32b.yaml")
    capacity.add_argument("--rows", type=_count, help="of the source; those of the run or the file where not given")
    capacity.add_argument("--speed", metavar="FILE", help="what `measure` has written")
    capacity.add_argument("--read", type=_rate, help="prompt tokens a second and GPU")
    capacity.add_argument("--written", type=_rate, help="output tokens a second and GPU")
    capacity.add_argument("--start-s", type=_amount, help="seconds until a stage's model is loaded")
    capacity.add_argument("--gpus", type=_count)
    capacity.add_argument("--price", type=_amount, help="money for a GPU's hour")
    capacity.add_argument("--json", action="store_true", help="for scripts")
    actions = capacity.add_subparsers(metavar="ACTION")
    measure = actions.add_parser("measure", help="how fast a model reads and writes here, past the cache")
    measure.add_argument("model", metavar="MODEL", help="models/teacher.json, or a checkpoint's folder")
    measure.add_argument("--rows", type=_count, default=200, help="prompts: 4 times llm.max_num_seqs or more; 200")
    measure.add_argument("--out", metavar="FILE", help="write it there, for --speed")
    measure.set_defaults(run=_measure)


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no count, 1 or more")
    return int(text)


def _amount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number, 0 or more")
    return value


def _rate(text: str) -> float:
    if not (value := _amount(text)):
        raise argparse.ArgumentTypeError("0 tokens a second never end")
    return value


# What follows imports its libraries late, like all of the command line.
def _estimate(arguments) -> None:
    from funreason.plan.capacity import assumed, estimate, measured, planned

    plan = assumed(arguments.assume) if arguments.assume else None
    speed = _speed(arguments, plan)
    rows = arguments.rows or (plan and plan.rows)
    loads, rows = (planned(plan, rows), rows) if plan else measured(arguments.folder, rows)
    found = estimate(loads, speed)
    if arguments.json:
        print(json.dumps({"rows": rows, "speed": speed.model_dump(), "stages": found}, indent=2))
        return
    print(_text(found, rows, speed, arguments.assume or arguments.folder))


def _speed(arguments, plan):
    """Of the file of assumptions, over it what was measured, over that what the command line says."""
    from funreason.plan.capacity import Speed, speed_of

    speed = speed_of(arguments.speed) if arguments.speed else plan.speed if plan else Speed()
    given = {name: getattr(arguments, name) for name in Speed.model_fields}
    return speed.model_copy(update={name: value for name, value in given.items() if value is not None})


def _text(found: list[dict], rows: int, speed, source: str) -> str:
    from tabulate import tabulate

    lines = [f"{rows:,} rows, tokens a row from {source}"]
    lines += [tabulate(found, headers="keys", intfmt=",", floatfmt=",.2f")]
    if not (speed.read and speed.written):
        lines += ["no hours: give --read and --written (tokens a second and GPU), or measure them on your machine:"]
        lines += ["funreason capacity measure models/teacher.json --out speed.json"]
        lines += ["funreason capacity --speed speed.json"]
        return "\n".join(lines)
    price = "no price" if speed.price is None else f"{speed.price:g} a GPU's hour"
    rates = f"{speed.read:,.0f} tokens/s read and {speed.written:,.0f} written by each"
    return "\n".join([*lines, f"{speed.gpus} GPUs, {rates}, {speed.start_s:g} s until a stage starts, {price}"])


def _measure(arguments) -> None:
    from funreason.config import load_params
    from funreason.core.jsonio import write_json
    from funreason.plan.measure import measure

    params = load_params()
    if arguments.rows < 4 * params.llm.max_num_seqs:
        print(f"{arguments.rows} prompts fill the {params.llm.max_num_seqs} seats for too short: too low a speed")
    found = measure(arguments.model, arguments.rows, params)
    if arguments.out:
        write_json(arguments.out, found)
    print(json.dumps(found, indent=2))
