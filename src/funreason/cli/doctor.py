"""`funreason doctor`."""

import argparse
import json

from funreason.core.errors import FunReasonError

SIGNS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


class Unready(FunReasonError):
    """At least one finding is an error; they have been printed."""


def add(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--json", action="store_true", help="for scripts")
    doctor.add_argument("--deep", action="store_true", help="read all of DVC's cache, too: some seconds a gigabyte")
    doctor.set_defaults(run=_doctor)


# The libraries are imported late: `funreason --help` answers at once.
def _doctor(arguments) -> None:
    findings = examine(arguments.deep)
    if arguments.json:
        print(json.dumps([finding.to_row() for finding in findings], indent=2, ensure_ascii=False))
    else:
        print("\n".join(f"{SIGNS[finding.level]} {finding}" for finding in findings))
    errors = sum(finding.level == "error" for finding in findings)
    if errors:
        raise Unready(f"{errors} of {len(findings)} findings would stop a run; their remedies stand above")


def examine(deep: bool = False) -> list:
    """All findings; only that of params.yaml where it cannot be read."""
    from funreason.config import load_params
    from funreason.core.errors import ParamsError
    from funreason.doctor import access, objects, remotes, scorers
    from funreason.doctor.finding import from_error, ok
    from funreason.doctor.preflight import cheap

    try:
        params = load_params()
    except ParamsError as problem:
        return [from_error(problem)]
    return [
        ok("params.yaml: every key is known and well typed"),
        *access.models(params),
        *access.server(params),
        *access.data(params),
        *cheap(params),
        *scorers.sandbox_works(params),
        *objects.locks(),
        *objects.objects(deep),
        *remotes.remotes(),
    ]
