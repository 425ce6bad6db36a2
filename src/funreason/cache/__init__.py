"""What `funreason cache` does with the response cache: maintenance, export and import, push and pull.

The cache itself is `funreason.llm.cache`.
"""
