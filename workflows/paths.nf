// Paths and addresses are text that users chose. Nothing in them is a pattern: `file` would take [ ] { } * ? for one, and
// so would the shell; and Nextflow's own Escape.path leaves $ and those to it.

/** The path that a text names, as it stands. (A script that several others include can include none, for Nextflow 25.) */
def pathOf(text) {
    return file(text.toString(), glob: false)
}

/** One word of a task's command; null of nothing. */
def quoted(text) {
    return text ? "'${text.toString().replace("'", "'\\''")}'" : null
}

/**
 * Tell which character of a path Nextflow's own scripts would not take as it stands, or null. They name the work directory,
 * the pipeline's own, and files that are staged; the input, which tasks read in place, may be called anything.
 */
def unfitCharacter(path, others = '') {
    return path.toString().find { character -> character in '${}[]*?\n\t'.toList() + others.toList() }
}

/** A weights file: a path if it holds a slash or ends in .safetensors, else a name, as in scarnet_cli/model/store.py. */
def weightsFile(given, weights_dir) {
    def text = given.toString()
    if (text.contains('/') || text.endsWith('.safetensors')) {
        return pathOf(text)
    }
    def own = weights_dir ?: System.getenv('SCARNET_WEIGHTS')
    def paths = [own, "${projectDir}/weights"].findAll().collect { folder -> pathOf("${folder}/${text}.safetensors") }
    return paths.find { path -> path.exists() } ?: paths.last()
}

/**
 * Commands of a task that copy a stage's tables apart from its volumes, to tables/STAGE, for GATHER. Each is renamed into
 * place: a task of a killed run may still run in the directory of its successor.
 */
def tablesApart(stage) {
    return """mkdir -p tables/${stage}
    for table in ${stage}/*.parquet; do cp \$table tables/.\$\$ && mv tables/.\$\$ tables/\$table; done"""
}
