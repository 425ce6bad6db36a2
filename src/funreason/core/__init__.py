"""What every other package builds on: errors, rows, JSON files, file names and the start of a stage. Imports none."""
