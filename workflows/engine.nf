// The container engine of a profile and its images: what is missing is said before any task, as far as this machine shows it.

include { pathOf } from './paths'

/** What is wrong with the engine or its images, in a list of one message; or none. */
def problemsOfEngine(params) {
    def config = nextflow.Global.session.config
    def engine = ['docker', 'podman', 'apptainer', 'singularity', 'charliecloud'].find { name -> config.navigate("${name}.enabled") }
    if (!engine) {
        return []
    }
    def isHere = (config.navigate('process.executor') ?: 'local') == 'local'
    def program = engine == 'charliecloud' ? 'ch-run' : engine
    def isThere = System.getenv('PATH').tokenize(':').any { folder -> pathOf("${folder}/${program}").exists() }
    if (isHere && !isThere) {
        return ["The profile ${engine} needs ${program}, which is not on the PATH: install it, or leave the profile out."]
    }
    def missing = imagesOf(config.process, params).findAll { image -> isMissing(image, engine, isHere) }
    def cure = missing.any { image -> image.startsWith('/') } ? 'make them as docs/hpc.md says (Images)' : 'run `make containers`'
    return missing ? ["The profile ${engine} has no image ${missing.join(' and no ')}: ${cure}, or name others with --container_core and --container_gpu."] : []
}

/** The images that the run's processes name. */
def imagesOf(process, params) {
    def own = process.findAll { name, value -> value instanceof Map && (params.segment_command || name != 'withName:SEGMENT_COMMAND') }
    return ([process.container] + own.collect { _name, value -> value.container }).findAll { image -> image instanceof CharSequence }.unique()
}

/**
 * Tell whether an image is missing that no registry serves. A node's own files and images are not seen from here; what the
 * engine says for another reason, a task will say too.
 */
def isMissing(image, engine, isHere) {
    if (image.startsWith('/')) {
        return (isHere || image.startsWith("${projectDir}/")) && !pathOf(image).exists()
    }
    return isHere && engine in ['docker', 'podman'] && image.startsWith('localhost/') && saidOf([engine, 'image', 'inspect', image]).contains(image)
}

/** What a command says when it fails; nothing where it succeeds or takes too long. */
def saidOf(command) {
    def process = command.execute()
    def said = new StringBuffer()
    process.consumeProcessOutput(null, said)
    process.waitForOrKill(10000)
    process.waitForProcessOutput()
    return process.exitValue() == 0 ? '' : said.toString()
}
