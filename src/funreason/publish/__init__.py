"""A set as a data set for others: two formats, a data card with its provenance, the upload to the hub."""
