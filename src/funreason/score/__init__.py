"""The official benchmarks for any model, without the pipeline: `funreason score`."""
