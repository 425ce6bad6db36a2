"""Benchmarks: prompts out, answers in, scored by the official scorers inside a sandbox."""
