"""Publishes the rows of a round as a data set: two formats, a data card with provenance, the upload to the hub."""
