"""The toy world: queries, tools, judge cases and code tasks, made up so that small models can master them on a CPU."""
