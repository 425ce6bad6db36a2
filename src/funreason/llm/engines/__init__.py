"""TODO llm.engines."""
