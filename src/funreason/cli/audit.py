"""`funreason audit`: what each scorer lets pass, on gold answers and on answers with a planted fault."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from funreason.cli.places import given_path, writable

SCORERS = ("bfcl", "bfcl3", "acebench", "api_bank", "humaneval")


def add(audit: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    audit.add_argument("--scorers", metavar="LIST", help=f"of {', '.join(SCORERS)}; default: those that are here")
    audit.add_argument("--acebench", metavar="FOLDER", type=given_path, help="a checkout of chenchen0103/ACEBench")
    audit.add_argument("--languages", default="en", metavar="LIST", help="of ACEBench: en,zh; default: en")
    audit.add_argument("--api-bank", metavar="FOLDER", type=given_path, help="with level-1-api_processed.json")
    audit.add_argument("--sandbox", default="auto", metavar="MODE", help="as evaluate.sandbox; default: auto")
    audit.add_argument("--out", metavar="FILE", type=given_path, help="also write the findings as JSON")
    audit.set_defaults(run=_audit)


def _audit(arguments: argparse.Namespace) -> None:
    from dataclasses import asdict

    from funreason.core.jsonio import write_json
    from funreason.sandbox import isolation

    mode = isolation.resolve(arguments.sandbox)
    findings: list[dict] = []
    if arguments.out:
        writable(Path(arguments.out).parent, "--out")
    for finding in _findings(arguments, mode):
        if not findings:
            print("| scorer | answers | n | passed |\n|---|---|---|---|")
        findings.append(asdict(finding))
        print(f"| {finding.scorer} | {finding.kind} | {finding.answers:,} | {finding.passed:,} |", flush=True)
    if arguments.out:
        write_json(arguments.out, findings)


def _findings(arguments: argparse.Namespace, mode: str) -> Iterator:
    from funreason.audit import scorers
    from funreason.core.errors import ParamsError
    from funreason.evaluate.acebench_data import LANGUAGES

    names = [name.strip() for name in arguments.scorers.split(",")] if arguments.scorers else _present(arguments)
    if unknown := [name for name in names if name not in SCORERS]:
        raise ParamsError(f"--scorers names {', '.join(unknown)}; allowed are {', '.join(SCORERS)}")
    for name, folder in (("acebench", arguments.acebench), ("api_bank", arguments.api_bank)):
        if name in names and not folder:
            raise ParamsError(f"--scorers names {name}, which needs its data; give --{name.replace('_', '-')} FOLDER")
    languages = [name.strip() for name in arguments.languages.split(",")]
    if unknown := [name for name in languages if name not in LANGUAGES]:
        raise ParamsError(f"--languages names {', '.join(unknown)}; allowed are {', '.join(LANGUAGES)}")
    _check_data(arguments, names, languages)
    for name in names:
        match name:
            case "acebench":
                for language in languages:
                    yield from scorers.of_acebench(arguments.acebench, language, mode)
            case "api_bank":
                yield from scorers.of_api_bank(arguments.api_bank, mode)
            case "humaneval":
                yield from scorers.of_humaneval(mode)
            case _:
                yield from scorers.of_bfcl("v3" if name == "bfcl3" else "v4", mode)


def _check_data(arguments: argparse.Namespace, names: list[str], languages: list[str]) -> None:
    """Read what the chosen scorers need, so that nothing missing stops the audit after minutes."""
    from funreason.evaluate import acebench, api_bank
    from funreason.evaluate.acebench_data import CATEGORIES, is_agent, load_rows
    from funreason.evaluate.bfcl import ENVIRONMENTS
    from funreason.sandbox.scorer import scorer_python

    environments = {"bfcl": ENVIRONMENTS["v4"], "bfcl3": ENVIRONMENTS["v3"], "acebench": acebench.ENVIRONMENT}
    if "acebench" in names:
        load_rows(arguments.acebench, languages, [name for name in CATEGORIES if not is_agent(name)], None)
    if "api_bank" in names:
        api_bank.load_items(arguments.api_bank)
    for name in names:
        if name in environments:
            scorer_python(environments[name])


def _present(arguments: argparse.Namespace) -> list[str]:
    from funreason.core.errors import FunReasonError
    from funreason.evaluate.bfcl import ENVIRONMENTS
    from funreason.sandbox.scorer import scorer_python

    names = []
    for name, version in (("bfcl", "v4"), ("bfcl3", "v3")):
        try:
            scorer_python(ENVIRONMENTS[version])
            names.append(name)
        except FunReasonError as problem:
            print(f"{name} left out: {problem}", file=sys.stderr)
    for name, folder in (("acebench", arguments.acebench), ("api_bank", arguments.api_bank)):
        if folder:
            names.append(name)
        else:
            print(f"{name} left out: give --{name.replace('_', '-')} FOLDER", file=sys.stderr)
    return [*names, "humaneval"]
