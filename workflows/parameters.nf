// Parameters are described once, in nextflow_schema.json: the help text and the checks are made from it.

include { lastSession ; refuse } from './claim'
include { pathOf ; unfitCharacter } from './paths'

/** Every parameter of the schema: name -> its description. */
def describedParameters(schema) {
    def groups = new groovy.json.JsonSlurper().parseText(schema.text)['$defs'].values()
    return groups.collectEntries { group -> group.properties }
}

/** One line a parameter, with its default. */
def helpText(schema) {
    def lines = describedParameters(schema).collect { name, rule ->
        def fallback = rule.default == null ? '' : " [${rule.default}]"
        "  --${name.padRight(16)} ${rule.description}${fallback}"
    }
    return """
        |Usage: nextflow run main.nf --input DIR_OR_SAMPLESHEET --outdir OUT [-profile slurm,apptainer] [-resume]
        |
        |${lines.join('\n')}
        |""".stripMargin()
}

/** End the run with one message that lists everything wrong with the parameters. */
def checkParameters(params, schema) {
    def rules = describedParameters(schema)
    if (!params.input) {
        log.info(helpText(schema))
    }
    def unknown = params.keySet().findAll { name -> !rules.containsKey(name) && !isCamelTwin(name, params) }
    def problems = unknown.collect { name -> "--${name} is no parameter of this pipeline; --help lists them." }
    def unreadable = rules.findAll { name, rule -> rule.format && params[name].toString().contains('\uFFFD') }.keySet()
    problems += unreadable.collect { name ->
        "--${name} holds a character that is no UTF-8, or that cannot be read with this locale; say export LC_ALL=C.UTF-8, or give the folder another name."
    }
    if (unreadable) {
        refuse(problems.join('\n'))
    }
    problems += rules.collect { name, rule -> problemOf(name, params[name], rule) }.findAll { text -> text }
    problems += rules
        .findAll { name, rule -> rule.format == 'weights' && params[name] && !weightsFile(params[name], params).isFile() }
        .collect { name, _rule -> "--${name} '${params[name]}' does not exist as a file; give a path, or a name of `scarnet weights list`." }
    if (!problems && params.batch_min > params.batch_max) {
        problems += ["--batch_min ${params.batch_min} is above --batch_max ${params.batch_max}."]
    }
    if (!problems && foldsOf(params).chosen.max() >= params.folds) {
        problems += ["--fold ${params.fold} is not one of the ${params.folds} folds, which count from 0."]
    }
    if (params.store_to && !(params.store_to ==~ /dicomweb\+https?:\/\/[^?#@]+/)) {
        problems += ['--store_to is no address to store at; it looks like dicomweb+https://pacs.example.org/dicom-web, without user, password or query.']
    }
    if (!problems) {
        problems += problemsOfAddress(params)
    }
    if (params.retry_failed && !lastFailures(params.outdir)) {
        problems += ["--retry_failed needs the failures of an earlier run; '${params.outdir}' holds none."]
    }
    problems += problemsOfCharacters(params, rules)
    if (!problems) {
        problems += [problemOfOutput(params.outdir)].findAll { text -> text }
    }
    if (params.deidentify) {
        problems += [problemOfKey(params), problemOfResults(params.outdir)].findAll { text -> text }
    }
    if (problems) {
        refuse((problems + [adviceOnResuming(params.outdir)]).join('\n').trim())
    }
    warnWithoutGpu(params)
}

/** A run that is refused is the one that -resume alone goes on with. */
def adviceOnResuming(outdir) {
    def session = outdir ? lastSession(outdir) : null
    return session ? "Nothing was run. To go on with the run that wrote '${outdir}', say -resume ${session}: -resume alone would take this one." : ''
}

/** Say at once where a GPU was asked for and the machine that runs the tasks shows none. */
def warnWithoutGpu(params) {
    def executor = nextflow.Global.session.config.navigate('process.executor') ?: 'local'
    def shown = ['/dev/nvidiactl', '/dev/dxg'].any { device -> file(device).exists() }
    if (params.gpu && executor == 'local' && !shown) {
        log.warn('A GPU was asked for (-profile gpu), and this machine shows none: the networks run on the CPU, many times slower. The column `device` of scans says so.')
    }
}

/** Nextflow adds `batchMin` where the user wrote --batch-min: name it once, as it was written. */
def isCamelTwin(name, params) {
    def kebab = name.replaceAll(/([A-Z])/) { match -> "-${match[1].toLowerCase()}" }
    return kebab != name && params.containsKey(kebab)
}

def problemOf(name, value, rule) {
    if (value == null || value == '') {
        return rule.required ? "--${name} is missing: ${rule.description}." : null
    }
    if (rule.type == 'integer' && !(value instanceof Integer)) {
        return "--${name} is '${value}'; a whole number is needed."
    }
    if (rule.type == 'boolean' && !(value instanceof Boolean)) {
        return "--${name} is '${value}'; true or false is needed."
    }
    if (rule.type == 'string' && value instanceof Boolean) {
        return "--${name} needs a value: ${rule.description}."
    }
    if (rule.minimum != null && value < rule.minimum) {
        return "--${name} is ${value}; at least ${rule.minimum} is needed."
    }
    if (rule.pattern && !(value.toString() ==~ rule.pattern)) {
        return "--${name} is '${value}'; it must look like ${rule.examples.join(' or ')}."
    }
    if (rule['enum'] && !rule['enum'].contains(value)) {
        return "--${name} is '${value}'; it must be one of ${rule['enum'].join(', ')}."
    }
    if (rule.exists && !isAddress(value) && !pathOf(value).exists()) {
        return "--${name} '${value}' does not exist: ${rule.description}."
    }
    return rule.format == 'file-path' && pathOf(value).isDirectory() ? "--${name} '${value}' is a directory; a file is needed." : null
}

/** Tell a DICOMweb server's address from a path. What is wrong with one, INDEX says. */
def isAddress(input) {
    return input.toString().startsWith('dicomweb+')
}

def problemsOfAddress(params) {
    if (!isAddress(params.input)) {
        return params.studies ? ['--studies goes with a DICOMweb address as --input; of a directory all studies are taken.'] : []
    }
    def problems = []
    if (params.input =~ '//[^/?]*@') {
        problems += ['--input holds a user name or a password; take it out, and set SCARNET_PACS_USER and SCARNET_PACS_PASSWORD in the environment.']
    }
    if (params.workflow != 'cohort') {
        problems += ["--input is a DICOMweb address; --workflow ${params.workflow} needs labelled cases in a directory."]
    }
    return problems
}

/**
 * Where the studies are, and what outlives tasks. Paths are plain text: tasks read them in place and nothing is staged.
 *   server: address of a DICOMweb server, or empty; studies: the list of those wanted from it, or []
 *   path, root: input, and the directory above all its files; root is empty for a server
 *   own: directories that the run itself writes to
 *   downloads: directory that keeps what a server gave; parts: that of an unfinished index; store: above both.
 *     Each is there already, or empty where tasks cannot share one
 *   memory: directory of what the index remembers; info: that of what is known of the run
 */
def placeOf(params, workDir) {
    def kept = [memory: memoryFolder(params, workDir), info: "${params.outdir}/pipeline_info".toString()]
    if (isAddress(params.input)) {
        def store = sharedDirectory(params.download_dir ? pathOf(params.download_dir).toAbsolutePath() : workDir.resolve('dicomweb'))
        def studies = params.studies ? pathOf(params.studies) : []
        return kept + [own: [], server: params.input, studies: studies, root: '', store: store, downloads: store, parts: store ? "${store}/index" : '']
    }
    def input = pathOf(params.input).toAbsolutePath()
    def root = params.input_root ? pathOf(params.input_root).toAbsolutePath() : input.isDirectory() ? input : input.parent
    def parts = sharedDirectory(pathOf("${kept.memory}/index_parts").toAbsolutePath())
    return kept + [own: ownFolders(params, input, workDir), server: '', studies: [], path: input.toString(), root: root.toString(), store: parts, downloads: '', parts: parts]
}

/** What a run writes, where it may lie below the input: it is not searched. Beside the input's own files nothing is left out. */
def ownFolders(params, input, workDir) {
    def output = pathOf(params.outdir).toAbsolutePath()
    def written = output.normalize() == input.normalize() ? [] : ['tables', 'studies', 'report', 'pipeline_info', 'earlier_run'].collect { name -> output.resolve(name) }
    return (written + [workDir]).findAll { folder -> folder.scheme == 'file' }.collect { folder -> folder.toAbsolutePath().toString() }
}

/** Make a directory that all tasks see, and return its path; empty where it is no file system's. */
def sharedDirectory(directory) {
    return directory.scheme == 'file' && directory.mkdirs() != null ? directory.toString() : ''
}

/** A weights file: a path if it holds a slash or ends in .safetensors, else a name, as in scarnet_cli/model/store.py. */
def weightsFile(given, params) {
    def text = given.toString()
    if (text.contains('/') || text.endsWith('.safetensors')) {
        return pathOf(text)
    }
    def own = params.weights_dir ?: System.getenv('SCARNET_WEIGHTS')
    def folders = (own ? [own] : []) + ["${projectDir}/weights"]
    def paths = folders.collect { folder -> pathOf("${folder}/${text}.safetensors") }
    return paths.find { path -> path.exists() } ?: paths.last()
}

/** What a task gets: the file and, if there is one, the SHA256SUMS beside it. */
def weightsFiles(given, params) {
    def weights = weightsFile(given, params)
    def digests = weights.resolveSibling('SHA256SUMS')
    return [weights, digests.exists() ? digests : []]
}

/** How many folds there are, and those to hold out in turn: the one that --fold names, or all. */
def foldsOf(params) {
    return [number: params.folds, chosen: params.fold == 'all' ? (0..<params.folds).toList() : [params.fold as Integer]]
}

/** Paths that Nextflow's own scripts cannot take; those of the pipeline stand in PATH as well, between double quotes. */
def problemsOfCharacters(params, rules) {
    def run = nextflow.Global.session
    def named = rules
        .findAll { name, rule -> rule.format && !(name in ['input', 'input_root']) && params[name] }
        .collect { name, rule -> ["--${name}", (rule.format == 'weights' ? weightsFile(params[name], params) : pathOf(params[name])).toAbsolutePath(), ''] }
    def places = named + [['-work-dir', run.workDir, ''], ["The pipeline's folder", run.baseDir, '"`:']]
    def unfit = places.findAll { _name, path, others -> unfitCharacter(path, others) }
    return unfit.collect { name, path, others ->
        "${name} '${path}' holds the character ${readable(unfitCharacter(path, others))}, which Nextflow's scripts cannot take in a path; name another. (The input may hold any.)"
    }
}

def readable(character) {
    return ['\n': 'newline', '\t': 'tab'][character] ?: character
}

def problemOfOutput(outdir) {
    def folder = pathOf(outdir)
    try {
        java.nio.file.Files.createDirectories(folder)
        java.nio.file.Files.delete(java.nio.file.Files.createTempFile(folder, '.write', '.check'))
        return null
    }
    catch (IOException failure) {
        return "--outdir '${outdir}' cannot be written (${failure.class.simpleName}); name another directory."
    }
}

/** The file with the key of the pseudonyms; null without --deidentify, or where none is named. */
def deidentifyKey(params) {
    def named = params.deidentify_key ?: System.getenv('SCARNET_DEIDENTIFY_KEY')
    return params.deidentify && named ? pathOf(named) : null
}

def problemOfKey(params) {
    def key = deidentifyKey(params)
    if (key == null) {
        return '--deidentify needs a key, of which the pseudonyms are made. Make one with ' +
            '(umask 077; head -c 32 /dev/urandom | base64 > FILE), keep it for the next run, and name FILE by --deidentify_key ' +
            'or SCARNET_DEIDENTIFY_KEY.'
    }
    return key.isFile() ? null : 'The key of --deidentify is no file; name another.'
}

/** Results of an earlier run stay in the output directory: they must be de-identified too. So must what its index remembers. */
def problemOfResults(outdir) {
    def kept = pathOf("${outdir}/pipeline_info/parameters.json")
    def identified = pathOf("${outdir}/pipeline_info/index.parquet").exists() || (kept.exists() && !new groovy.json.JsonSlurper().parseText(kept.text).deidentify)
    return identified ? "--outdir '${outdir}' holds results that are not de-identified; name another directory." : null
}

/** The index remembers names of series and UIDs: where they must not leave, it does so in the work directory. */
def memoryFolder(params, workDir) {
    return params.deidentify ? workDir.toString() : "${params.outdir}/pipeline_info".toString()
}

/** The failures of the last run that ended: it may have been set aside for one that was interrupted. Null without any. */
def lastFailures(outdir) {
    def tables = ['tables', 'earlier_run/tables'].collect { folder -> pathOf("${outdir}/${folder}/failures.parquet") }
    return tables.find { table -> table.exists() }
}

/** What the last index remembers, or []. */
def indexMemory(params, workDir) {
    def memory = pathOf(memoryFolder(params, workDir)).resolve('index.parquet')
    return memory.exists() ? memory : []
}

/** Where results go, and the settings kept beside them; paths of the user's files stay out, as they may hold a name. */
def outputOf(params) {
    def kept = params.findAll { name, _value -> !(name in ['input', 'input_root', 'studies', 'download_dir', 'label_values', 'reviewed', 'series_rules', 'deidentify_key', 'help']) }
    return [directory: params.outdir, parameters: groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(kept)) + '\n']
}
