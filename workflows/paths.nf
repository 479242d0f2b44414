// Paths and addresses are text that users chose. Nothing in them is a pattern: `file` would take [ ] { } * ? for one, and
// so would the shell; and Nextflow's own Escape.path leaves $ and those to it.

/** The path that a text names, as it stands. (A script that several others include can include none, for Nextflow 25.) */
def pathOf(text) {
    return file(text.toString(), glob: false)
}

/** One word of a task's command. */
def quoted(text) {
    return "'${text.toString().replace("'", "'\\''")}'"
}

/**
 * Tell which character of a path Nextflow's own scripts would not take as it stands, or null. They name the work directory,
 * the pipeline's own, and files that are staged; the input, which tasks read in place, may be called anything.
 */
def unfitCharacter(path, others = '') {
    return path.toString().find { character -> character in '${}[]*?\n\t'.toList() + others.toList() }
}
