"""Where models and data come from, and how the rows of a data source become tasks.

`sources` pins what params.yaml names to exact bytes. `files` reads the rows of a source. `formats` finds out the format
of a row and reads it as one `Dialogue` (`formats_text` for the formats that are texts, `dialogue` for those that are
messages, `messages` and `calltext` for single messages and the calls in them), `cleaning` takes out what Arrow tables
add, and `turns` makes the tasks. `rows` does all of this for a row; `prepare` sorts the rows into tasks and quarantined
rows and counts both; `inspection` shows what `prepare` would do."""
