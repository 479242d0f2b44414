// Paths and addresses are text that users chose. Nothing in them is a pattern: `file` would take [ ] { } * ? for one, and
// so would the shell; and Nextflow's own Escape.path leaves $ and those to it.

/** The path that a text names, as it stands. */
def pathOf(text) {
    return file(text.toString(), glob: false)
}

/** One word of a task's command. */
def quoted(text) {
    return "'${text.toString().replace("'", "'\\''")}'"
}
