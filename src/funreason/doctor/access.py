"""Are the models and the data there, or to be had? Asks the hub and the server only where params.yaml names them."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from funreason.config import DataParams, ModelParams, MultiTurnParams, Params
from funreason.core.errors import FunReasonError
from funreason.data.files import read_rows
from funreason.data.rows import QuarantinedRow, TaskIds, read_tasks
from funreason.data.sources import resolve_model, resolve_source
from funreason.doctor.diagnosis import Diagnosis, error, from_error, gb, ok, warning
from funreason.doctor.inputs import writer
from funreason.doctor.weights import DamagedWeights, folder_size, named_models
from funreason.llm.engines.scrub import Scrubber
from funreason.llm.engines.server import api_key
from funreason.llm.engines.transport import NoReply, Reply, Transport

TIMEOUT_S = 5.0
TRIED_ROWS = 20  # of a source


def models(params: Params) -> Iterator[Diagnosis]:
    """Each model of models.*, once."""
    seen = set()
    for where, model in named_models(params).items():
        if (key := model.model_dump_json()) not in seen:
            seen.add(key)
            yield from _local(where, model.path) if model.path else _elsewhere(where, model, params)


def revisions(params: Params) -> Iterator[Diagnosis]:
    """Hub ids without a revision: the next `resolve` may take other weights or rows than this one."""
    sources = {"data": params.data, "data.multi_turn": params.data.multi_turn}
    named: dict[str, Any] = named_models(params) | sources
    loose = [f"{where}.revision ({one.hub})" for where, one in named.items() if one.hub and not one.revision]
    if loose:
        yield warning(
            f"not pinned, so that the newest is taken: {', '.join(loose)}",
            "write the commits that `dvc repro resolve` notes in models/*.json and data/source.json into params.yaml",
        )


def server(params: Params) -> Iterator[Diagnosis]:
    """The server of llm.engine: server answers, takes the key and knows the model."""
    if params.llm.engine != "server":
        return
    chosen = params.llm.server
    where, name = f"server {chosen.base_url}", chosen.api_key_env
    if name and not os.environ.get(name):
        yield error(f"llm.server.api_key_env: {name} is not set", f"export {name}, or set the parameter to null")
        return
    try:
        key = api_key(name)
        with closing(Transport(chosen.base_url, key, TIMEOUT_S)) as transport:
            reply = transport.submit(transport.send("GET", "/models")).result()
    except FunReasonError as problem:
        yield from_error(problem)
        return
    except NoReply as problem:
        yield error(f"{where} does not answer ({problem})", "start it, or correct llm.server.base_url")
        return
    if reply.status in (401, 403):
        remedy = f"set the variable that llm.server.api_key_env names (now {name!r})"
        yield error(f"{where} refuses the key ({reply.status})", remedy)
        return
    yield from _listed(where, reply, chosen.model, Scrubber(key))


def data(params: Params) -> Iterator[Diagnosis]:
    """The sources are there, and their first rows are tasks."""
    yield from _source("data", params.data)
    if params.data.multi_turn.given:
        yield from _source("data.multi_turn", params.data.multi_turn)


def _source(where: str, chosen: DataParams | MultiTurnParams) -> Iterator[Diagnosis]:
    path = chosen.path
    if not chosen.hub and not Path(path).exists() and (stage := writer(path)):
        yield ok(f"{where}.path: {path} is written by the stage {stage}")
        return
    try:
        source = resolve_source(where, chosen)
        if source["kind"] == "hub":  # its rows are gigabytes: left to the run
            yield ok(f"{where}.hub: {source['hub']}, revision {source['revision']}")
            return
        rows = list(read_tasks(read_rows(source, chosen.split, TRIED_ROWS), path, TaskIds()))
    except FunReasonError as problem:
        yield from_error(problem)
        return
    refused = [row for row in rows if isinstance(row, QuarantinedRow) and not row.skipped]
    if not rows:
        yield error(f"{where}.path: {path} holds no rows", "give another file, or a data set id as hub")
    elif refused and refused[0] is rows[0]:
        remedy = f"funreason data inspect {path} shows what is read, and why the rest is not"
        yield error(f"{where}.path: row {refused[0].row} of {path} is malformed ({refused[0].reason})", remedy)
    else:
        yield ok(f"{where}.path: {path}, {len(rows) - len(refused)} of its first {len(rows)} rows can be read")


def _local(where: str, path: str) -> Iterator[Diagnosis]:
    folder = Path(path)
    if not folder.is_dir():
        yield error(f"{where}.path: no folder {path!r}", f"correct it, or give a hub id as {where}.hub")
        return
    missing = [name for name in ("config.json", "tokenizer_config.json") if not (folder / name).is_file()]
    if missing:
        yield error(f"{where}.path: {path} has no {', '.join(missing)}", "give the folder of a whole checkpoint")
        return
    try:
        size = folder_size(folder)
    except DamagedWeights as problem:
        yield error(f"{where}.path: {problem}", "copy the checkpoint anew (git checkout, dvc pull or a download)")
        return
    if size is None and not list(folder.glob("*.bin")):
        yield error(f"{where}.path: {path} has no *.safetensors", "give the folder of a whole checkpoint")
        return
    shown = f"{size.parameters / 1e6:,.1f} M parameters, {gb(size.bytes)}" if size else "weights in *.bin"
    yield ok(f"{where}: {path}, {shown}")


def _elsewhere(where: str, model: ModelParams, params: Params) -> Iterator[Diagnosis]:
    try:
        resolved = resolve_model(where.removeprefix("models."), model, params.llm)
    except FunReasonError as problem:
        yield from_error(problem)
        return
    yield ok(f"{where}: {resolved['hub']} ({resolved['kind']}), revision {resolved['revision'] or 'as served'}")


def _listed(where: str, reply: Reply, model: str | None, scrubber: Scrubber) -> Iterator[Diagnosis]:
    try:
        names = [str(entry["id"]) for entry in json.loads(reply.body)["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        what = f"{where} does not list its models ({reply.status})"
        yield warning(what, "go on if it is OpenAI-compatible; else correct llm.server.base_url")
        return
    if model and model not in names:
        shown = ", ".join(scrubber.line(name, 80) for name in names[:5]) or "none"
        yield error(f"{where} serves {shown}, not llm.server.model {model!r}", "serve it, or name one of those")
        return
    yield ok(f"{where} answers" + (f" and serves {model}" if model else ""))
