"""Name exactly which models and data the pipeline uses, before anything is computed, if this machine is ready for it.

Run as: python stages/resolve.py → models/{teacher,base,judges}.json, data/source.json
"""

from funreason.core.runtime import run


def main() -> None:
    from funreason.config.params import load_params
    from funreason.core.records import write_json
    from funreason.data.sources import resolve_data, resolve_model
    from funreason.doctor.preflight import preflight

    params = load_params()
    preflight(params)
    roles = ("teacher", "base")
    descriptors = {
        f"models/{role}.json": resolve_model(role, getattr(params.models, role), params.llm) for role in roles
    }
    judges = params.models.judges.items()
    descriptors["models/judges.json"] = {
        name: resolve_model(f"judges.{name}", model, params.llm) for name, model in judges
    }
    descriptors["data/source.json"] = resolve_data(params.data)
    for path, descriptor in descriptors.items():
        write_json(path, descriptor)


if __name__ == "__main__":
    run(main)
