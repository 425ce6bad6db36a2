"""Check that this machine is ready, then record exactly which models and data the pipeline uses.

Run as: python stages/resolve.py → models/{teacher,base,judges}.json, data/source.json
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main() -> None:
    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import write_json
    from funreason.data.sources import resolve_data, resolve_model
    from funreason.doctor.preflight import preflight
    from funreason.doctor.templates import fetch_tokenizer, require_templates

    params = load_params()
    preflight(params)
    # All are resolved before the first is written: an error leaves no file behind.
    descriptors = {
        paths.descriptor(role): resolve_model(role, getattr(params.models, role), params.llm)
        for role in ("teacher", "base")
    }
    descriptors[paths.JUDGES] = {
        name: resolve_model(f"judges.{name}", model, params.llm) for name, model in params.models.judges.items()
    }
    descriptors[paths.SOURCE] = resolve_data(params.data)
    fetch_tokenizer("models.base", params.models.base)
    require_templates(params)
    for path, descriptor in descriptors.items():
        write_json(path, descriptor)


if __name__ == "__main__":
    run(main)
