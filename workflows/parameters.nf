// Parameters are described once, in nextflow_schema.json: the help text and the checks of types and bounds are made from
// it. Beside them this says what no task could: paths that Nextflow's scripts cannot take, and results that would be mixed.
// All else that may be wrong is said by the first task (`--problem` of its command).

include { lastSession ; refuse } from './claim'
include { problemsOfEngine } from './engine'
include { pathOf ; unfitCharacter ; weightsFile } from './paths'

/** Every parameter of the schema: name -> its description, and whether it is required. */
def describedParameters(schema) {
    def groups = new groovy.json.JsonSlurper().parseText(schema.text)['$defs'].values()
    return groups.collectEntries { group ->
        group.properties.collectEntries { name, rule -> [name, rule + [required: name in (group.required ?: [])]] }
    }
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
    if (!params.input && !params.phantoms) {
        log.info(helpText(schema))
    }
    def unknown = params.keySet().findAll { name -> !rules.containsKey(name) && !isCamelTwin(name, params) }
    def problems = unknown.collect { name -> "--${name} is not a parameter of this pipeline; --help lists them." }
    def unreadable = rules.findAll { name, rule -> rule.format && params[name].toString().contains('\uFFFD') }.keySet()
    problems += unreadable.collect { name ->
        "--${name} holds a character that is not UTF-8, or that this locale cannot read; run export LC_ALL=C.UTF-8, or rename the folder."
    }
    if (unreadable) {
        refuse(problems.join('\n'))
    }
    if (!params.input && !(params.phantoms && params.workflow == 'cohort')) {
        problems += ["--input is missing: ${rules.input.description}."]
    }
    problems += rules.collect { name, rule -> problemOf(name, rule, params) }.findAll() + problemsOfCharacters(params, rules)
    problems += problemsOfEngine(params)
    if (params.segment_command.toString().contains('{files}') && !params.segment_files) {
        problems += ['--segment_command names {files}, but there is no --segment_files.']
    }
    if (!problems) {
        problems += [problemOfOutput(params.outdir)].findAll()
    }
    if (params.deidentify) {
        problems += [problemOfResults(params.outdir)].findAll()
    }
    if (problems) {
        refuse((problems + [adviceOnResuming(params.outdir)]).join('\n').trim())
    }
    warnWithoutGpu(params)
}

/** A run that is refused is the one that -resume alone goes on with. */
def adviceOnResuming(outdir) {
    def session = outdir ? lastSession(outdir) : null
    return session ? "Nothing was run. To go on with the run that wrote '${outdir}', use -resume ${session}: -resume alone would take this one." : ''
}

/** Say at once where a GPU was asked for and the machine that runs the tasks shows none. */
def warnWithoutGpu(params) {
    def executor = nextflow.Global.session.config.navigate('process.executor') ?: 'local'
    def shown = ['/dev/nvidiactl', '/dev/dxg'].any { device -> file(device).exists() }
    if (params.gpu && executor == 'local' && !shown) {
        log.warn('A GPU was requested (-profile gpu), but this machine has none: the networks run on the CPU, many times slower. The column `device` of scans says so.')
    }
}

/** Nextflow adds `batchMin` where the user wrote --batch-min: name it once, as it was written. */
def isCamelTwin(name, params) {
    def kebab = name.replaceAll(/([A-Z])/) { match -> "-${match[1].toLowerCase()}" }
    return kebab != name && params.containsKey(kebab)
}

/** What is wrong with one parameter by the rule that the schema has for it, or null. */
def problemOf(name, rule, params) {
    def value = params[name]
    return value == null || value == ''
        ? (rule.required ? "--${name} is missing: ${rule.description}." : null)
        : rule.type == 'integer' && !(value instanceof Integer) ? "--${name} is '${value}'; a whole number is needed."
        : rule.type == 'boolean' && !(value instanceof Boolean) ? "--${name} is '${value}'; true or false is needed."
        : rule.type == 'string' && value instanceof Boolean ? "--${name} needs a value: ${rule.description}."
        : rule.minimum != null && value < rule.minimum ? "--${name} is ${value}; at least ${rule.minimum} is needed."
        : rule.pattern && !(value.toString() =~ rule.pattern) ? "--${name} ${rule.errorMessage ?: "is '${value}'; it must look like ${rule.examples.join(' or ')}."}"
        : rule['enum'] && !rule['enum'].contains(value) ? "--${name} is '${value}'; it must be one of ${rule['enum'].join(', ')}."
        : problemOfPath(name, rule, params)
}

/** What is wrong with a path or the name of weights, or null. */
def problemOfPath(name, rule, params) {
    def value = params[name]
    return rule.format == 'weights' && !weightsFile(value, params.weights_dir).isFile()
        ? "--${name} '${value}' does not exist as a file; give a path, or a name of `scarnet weights list`."
        : rule.exists && !(name == 'input' && value.toString().contains('://')) && !pathOf(value).exists() ? "--${name} '${value}' does not exist: ${rule.description}."
        : rule.format == 'file-path' && pathOf(value).isDirectory() ? "--${name} '${value}' is a directory; a file is needed."
        : null
}

/** Paths that Nextflow's own scripts cannot take; those of the pipeline stand in PATH as well, between double quotes. */
def problemsOfCharacters(params, rules) {
    def run = nextflow.Global.session
    def named = rules
        .findAll { name, rule -> rule.format && !(name in ['input', 'input_root']) && params[name] }
        .collect { name, rule -> ["--${name}", (rule.format == 'weights' ? weightsFile(params[name], params.weights_dir) : pathOf(params[name])).toAbsolutePath(), ''] }
    def paths = named + [['-work-dir', run.workDir, ''], ["The pipeline's folder", run.baseDir, '"`:']]
    def unfit = paths.findAll { _name, path, others -> unfitCharacter(path, others) }
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

/** Results of an earlier run stay in the output directory: they must be de-identified too. So must what its index remembers. */
def problemOfResults(outdir) {
    def kept = pathOf("${outdir}/pipeline_info/parameters.json")
    def identified = pathOf("${outdir}/pipeline_info/index.parquet").exists() || (kept.exists() && !new groovy.json.JsonSlurper().parseText(kept.text).deidentify)
    return identified ? "--outdir '${outdir}' holds results that are not de-identified; name another directory." : null
}
