"""Where models and data come from, and how the rows of a data source become tasks.

`sources` pins what params.yaml names to exact bytes. `rows` reads the rows of a source, in xLAM's format (`xlam`) or as
conversations (`conversations`); `prepare` sorts them into tasks and quarantined rows, and counts both.
"""
