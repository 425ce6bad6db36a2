"""`funreason doctor`."""

import argparse
import json
from typing import TYPE_CHECKING

from funreason.core.errors import FunReasonError

if TYPE_CHECKING:
    from funreason.doctor.diagnosis import Diagnosis

SIGNS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


class Unready(FunReasonError):
    """At least one diagnosis is an error; all have been printed."""


def add(doctor: argparse.ArgumentParser) -> None:
    """`funreason doctor`."""
    doctor.add_argument("--json", action="store_true", help="for scripts")
    doctor.add_argument("--deep", action="store_true", help="also read all of DVC's cache: some seconds per gigabyte")
    doctor.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> None:
    diagnoses = examine(arguments.deep)
    if arguments.json:
        print(json.dumps([diagnosis.to_row() for diagnosis in diagnoses], indent=2, ensure_ascii=False))
    else:
        print("\n".join(f"{SIGNS[diagnosis.level]} {diagnosis}" for diagnosis in diagnoses))
    errors = sum(diagnosis.level == "error" for diagnosis in diagnoses)
    if errors:
        raise Unready(f"{errors} of {len(diagnoses)} lines are errors that would stop a run; each says what to do")


def examine(deep: bool = False) -> "list[Diagnosis]":
    """All diagnoses; only that of params.yaml where it cannot be read."""
    from funreason.config import load_params
    from funreason.core.errors import ParamsError
    from funreason.doctor import access, objects, rates, remotes, scorers
    from funreason.doctor.diagnosis import from_error, ok
    from funreason.doctor.preflight import cheap
    from funreason.doctor.templates import templates

    try:
        params = load_params()
    except ParamsError as problem:
        return [from_error(problem)]
    return [
        ok("params.yaml: every key is known and well typed"),
        *access.models(params),
        *access.revisions(params),
        *templates(params),
        *access.server(params),
        *access.data(params),
        *cheap(params),
        *rates.rates(params),
        *scorers.sandbox_works(params),
        *objects.locks(),
        *objects.objects(deep),
        *remotes.remotes(),
    ]
