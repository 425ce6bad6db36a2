"""Looking after the response cache. Outside llm/, because no answer depends on it: a change here reruns no stage."""
