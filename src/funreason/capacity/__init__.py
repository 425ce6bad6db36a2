"""What a run will take: rows and tokens → hours and money (`funreason capacity`). No answer depends on it."""
