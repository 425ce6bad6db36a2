"""The `funreason` command. The pipeline itself is run by DVC: `dvc repro`.

Run as: funreason profile list · funreason profile use paper · funreason params check · funreason doctor ·
funreason ledger show 12 · funreason ledger stats · funreason ledger diff HEAD workspace · funreason cache stats ·
funreason cache gc --unused-days 90 · funreason cache push · funreason rounds plan ·
funreason rerun-plan -S loss.lambda=0.3 · funreason push-dataset OWNER/NAME · funreason compare ·
funreason capacity --rows 60000
"""

import argparse
import json
import os
import sys
from pathlib import Path

from funreason.cli import cache as cache_commands
from funreason.cli import capacity as capacity_commands
from funreason.cli import doctor as doctor_commands
from funreason.cli import rounds as rounds_commands
from funreason.config import load_params, profiles
from funreason.core import paths
from funreason.core.runtime import outcome

PIPED = 141  # what a shell reports for a program whose reader went away (128 + SIGPIPE)


def main() -> None:
    arguments = _parser().parse_args()
    try:
        status = outcome(lambda: arguments.run(arguments), [])
        sys.stdout.flush()
    except BrokenPipeError:  # `funreason ledger stats | head -3`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain at its own end
        status = PIPED
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("funreason", description="Parameters, profiles, ledgers, responses and data sets.")
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_profile(rooms.add_parser("profile", help="named states of params.yaml, kept in profiles/"))
    _add_params(rooms.add_parser("params", help="params.yaml"))
    doctor_commands.add(rooms.add_parser("doctor", help="is this machine ready for what params.yaml asks"))
    _add_ledger(rooms.add_parser("ledger", help="what happened to the rows of a round, and why"))
    _add_compare(rooms.add_parser("compare", help="the sets at hand beside the published numbers"))
    cache_commands.add(rooms.add_parser("cache", help="the stored answers of models: what is there, dropping, sharing"))
    rounds_commands.add(rooms.add_parser("rounds", help="the sets side by side, and what one more would cost"))
    planned = "what `dvc repro` would run and ask, with other values where wanted, before it runs"
    rounds_commands.add_rerun_plan(rooms.add_parser("rerun-plan", help=planned))
    capacity_commands.add(rooms.add_parser("capacity", help="hours and cost of a run, from a finished one or assumed"))
    _add_push(rooms.add_parser("push-dataset", help="upload a round's data/<round>/dataset/ to the Hugging Face hub"))
    return parser


def _add_profile(profile: argparse.ArgumentParser) -> None:
    actions = profile.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="name the available profiles").set_defaults(run=_profile_list)
    use = actions.add_parser("use", help="rewrite params.yaml with a profile's values, keeping its comments")
    use.add_argument("name", metavar="NAME")
    use.set_defaults(run=_profile_use)
    save = actions.add_parser("save", help="keep the values of params.yaml as a profile")
    save.add_argument("name", metavar="NAME")
    save.set_defaults(run=_profile_save)


def _add_params(params: argparse.ArgumentParser) -> None:
    actions = params.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="name every unknown, missing or ill-typed key")
    check.add_argument("path", nargs="?", default="params.yaml", metavar="FILE")
    check.set_defaults(run=_params_check)


def _add_ledger(ledger: argparse.ArgumentParser) -> None:
    actions = ledger.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="the history of a row: every step, vote, heuristic and answer")
    show.add_argument("id", metavar="ID")
    show.set_defaults(run=_ledger_show)
    stats = actions.add_parser("stats", help="counts per step, outcomes, commonest reasons")
    stats.add_argument("--json", action="store_true", help="for scripts")
    stats.set_defaults(run=_ledger_stats)
    diff = actions.add_parser("diff", help="the rows whose outcome differs between two states, and why")
    side = "a folder (checkout or data/<round>), a Git revision, a DVC experiment, or `workspace`"
    diff.add_argument("a", metavar="A", help=side)
    diff.add_argument("b", metavar="B", help="the same")
    diff.add_argument("--all", action="store_true", help="all rows, not the first 20")
    diff.add_argument("--json", action="store_true", help="for scripts; always all rows")
    diff.set_defaults(run=_ledger_diff)
    for action in (show, stats, diff):
        action.add_argument("--round", default="r0", metavar="ROUND", help="default: r0")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.description = (
        "Accuracy on BFCL, HumanEval, MBPP and the toy: the published models, the sets of the workspace, and those of "
        "its DVC experiments that came out otherwise. A star marks numbers over a part of the rows."
    )
    side = "a Git revision or DVC experiment, taken instead of all experiments of the present commit"
    compare.add_argument("sides", nargs="*", metavar="REV", help=side)
    compare.add_argument("--out", metavar="PATH", help="write the table to PATH.md and all numbers to PATH.json, too")
    compare.add_argument("--json", action="store_true", help="print JSON, not Markdown")
    compare.set_defaults(run=_compare)


def _add_push(push: argparse.ArgumentParser) -> None:
    push.add_argument("repo_id", metavar="REPO_ID", help="OWNER/NAME; made if it does not exist")
    push.add_argument("--round", default="r0", metavar="ROUND", help="default: r0")
    push.add_argument("--private", action="store_true", help="make it private; refused where it is public already")
    push.add_argument("--revision", metavar="BRANCH", help="a branch, made if it does not exist")
    push.add_argument("--allow-unknown-license", action="store_true", help="the source's owner was asked")
    push.set_defaults(run=_push_dataset)


def _profile_list(_) -> None:
    print("\n".join(profiles.names()))


def _profile_use(arguments) -> None:
    changed = profiles.use(arguments.name)
    print(f"params.yaml holds profile {arguments.name} ({changed} values changed); run `dvc repro`")


def _profile_save(arguments) -> None:
    print(f"{profiles.save(arguments.name)} holds the values of params.yaml")


def _params_check(arguments) -> None:
    load_params(arguments.path)
    print(f"{arguments.path}: every key is known and well typed")


# What follows imports its libraries late: the commands above answer at once.
def _ledger_show(arguments) -> None:
    from funreason.ledger.text import row_text

    print(row_text(arguments.id, arguments.round))


def _ledger_stats(arguments) -> None:
    from funreason.ledger import history as ledger
    from funreason.ledger.text import stats_text

    stats = ledger.stats(ledger.read_ledger(Path(paths.ledger(arguments.round))))
    print(_json({"round": arguments.round, **stats}) if arguments.json else stats_text(stats, arguments.round))


def _ledger_diff(arguments) -> None:
    from funreason.ledger import history as ledger
    from funreason.ledger.text import SHOWN, diff_text

    a, b = (ledger.state(side, arguments.round) for side in (arguments.a, arguments.b))
    diff, limit = ledger.diff(a, b), None if arguments.all else SHOWN
    print(_json(diff) if arguments.json else diff_text(diff, arguments.a, arguments.b, limit))


def _compare(arguments) -> None:
    from funreason.core.jsonio import atomic
    from funreason.report.compare import compare, markdown
    from funreason.report.compare_sides import WORKSPACE, experiments

    order = ["base", *load_params().rounds]
    found = compare([WORKSPACE, *arguments.sides], order, [] if arguments.sides else experiments())
    texts = {"md": markdown(found), "json": _json(found) + "\n"}
    for ending, text in texts.items() if arguments.out else ():
        with atomic(f"{arguments.out}.{ending}") as file:
            file.write(text)
    print(texts["json" if arguments.json else "md"], end="")


def _push_dataset(arguments) -> None:
    from funreason.publish.hub import push

    url = push(
        arguments.repo_id,
        arguments.round,
        private=arguments.private,
        revision=arguments.revision,
        allow_unknown_license=arguments.allow_unknown_license,
    )
    print(f"uploaded data/{arguments.round}/dataset: {url}")


def _json(value) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
