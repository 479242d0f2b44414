// What the parameters name, as workflows take it: files that are there, or [] where none is named, and maps.

include { pathOf ; weightsFile } from './paths'

/** The file that a parameter names, or []. */
def namedFile(text) {
    return text ? pathOf(text) : []
}

/**
 * What readers gave beside the images; files and folders, or [].
 *   reviewed: their decisions; corrected: folder of label maps; label_values: what the values of those mean
 */
def readersOf(params) {
    return ['reviewed', 'corrected', 'label_values'].collectEntries { name -> [name, namedFile(params[name])] }
}

/**
 * The networks.
 *   localiser, weights: those of the heart's localiser and of the segmentation, as weightsFiles gives them
 *   command: the user's own command in the place of both, or ''; files: what it needs, and label_values: what the values of its
 *     label maps mean; or []
 */
def networksOf(params) {
    return [
        localiser: weightsFiles(params.localiser, params.weights_dir),
        weights: weightsFiles(params.weights, params.weights_dir),
        command: params.segment_command ?: '',
        files: namedFile(params.segment_files),
        label_values: namedFile(params.segment_label_values),
    ]
}

/**
 * A weights file; the SHA256SUMS beside it, or []; and its line there, or ''. Tasks take that line alone: the list changes
 * with every file of the folder.
 */
def weightsFiles(given, weights_dir) {
    def weights = weightsFile(given, weights_dir)
    def digests = existing(weights.resolveSibling('SHA256SUMS'))
    def lines = digests ? digests.readLines() : []
    return [weights, digests, lines.find { line -> line.trim().replaceFirst(/^\S+\s+\**/, '') == weights.name } ?: '']
}

/** The file with the key of the pseudonyms, or []. That --deidentify needs one, INDEX says. */
def deidentifyKey(params) {
    def named = params.deidentify_key ?: System.getenv('SCARNET_DEIDENTIFY_KEY')
    return params.deidentify && named ? existing(pathOf(named)) : []
}

/** The folds to hold out in turn: the one that --fold names, or all. */
def chosenFolds(params) {
    return params.fold == 'all' ? (0..<params.folds).toList() : [params.fold as Integer]
}

/**
 * The studies or cases. Paths are plain text: tasks read them in place and nothing is staged.
 *   input: a path, or the address of a bucket or a DICOMweb server; is_server tells which
 *   is_remote: whether files of the input lie in a bucket, so that tasks that read them need a network
 *   phantoms: how many are made instead, where no input is named; input and root are then those of the task that made them
 *   root: directory above all files of the input on this machine, mounted into containers; or empty
 */
def inputOf(params) {
    if (params.input.toString().startsWith('dicomweb+')) {
        return [input: params.input, is_server: true, is_remote: false, root: '']
    }
    if (!params.input) {
        return [input: '', is_server: false, is_remote: false, root: '', phantoms: params.phantoms]
    }
    if (isAddress(params.input)) {
        return [input: params.input, is_server: false, is_remote: true, root: '']
    }
    def input = pathOf(params.input).toAbsolutePath()
    def root = params.input_root ? pathOf(params.input_root).toAbsolutePath() : input.isDirectory() ? input : input.parent
    return [input: input.toString(), is_server: false, is_remote: namesObjects(input), root: root.toString()]
}

/** Tell whether a file may be a samplesheet that names objects in a bucket. */
def namesObjects(input) {
    return input.isFile() && input.size() < 64 << 20 && input.text.replace('\0', '') =~ /(?i)\b(s3|gs|az):\/\//
}

/** Tell whether a text is an address rather than a path. Tasks read what lies there: Nextflow needs no plugin for it. */
def isAddress(text) {
    return text.toString().contains('://')
}

/**
 * The studies, and what INDEX knows of them: the map of inputOf, and
 *   leave_out: directories that the run itself writes to
 *   downloads: directory that keeps what a server gave; parts: that of an unfinished index; shared: above both.
 *     Each is there already, or empty where tasks cannot share one
 *   memory: directory of what the index remembers; info: that of what is known of the run
 *   studies, previous, failures: files, or []: the studies wanted from a server; what the last index remembers; the failures
 *     of the last run, where failed studies are tried again
 */
def sourceOf(params, workDir) {
    def source = inputOf(params)
    def info = "${params.outdir}/pipeline_info".toString()
    // The index remembers names of series and UIDs: where they must not leave, it does so in the work directory.
    def memory = params.deidentify ? workDir.toString() : info
    def downloads = source.is_server ? sharedDirectory(params.download_dir ? pathOf(params.download_dir) : workDir.resolve('dicomweb')) : ''
    def parts = source.is_server ? (downloads ? "${downloads}/index" : '') : sharedDirectory(pathOf("${memory}/index_parts"))
    return source + [
        leave_out: source.is_server || source.phantoms ? [] : ownFolders(params.outdir, source.input, workDir),
        downloads: downloads,
        parts: parts,
        shared: downloads ?: parts,
        memory: memory,
        info: info,
        studies: namedFile(params.studies),
        previous: existing(pathOf("${memory}/index.parquet")),
        failures: params.retry_failed ? lastFailures(params.outdir) : [],
    ]
}

/** What a run writes, where it may lie below the input: it is not searched. Beside the input's own files nothing is left out. */
def ownFolders(outdir, input, workDir) {
    def output = pathOf(outdir)
    def isSame = isAddress(input) ? outdir.toString() == input.toString() : output.toAbsolutePath().normalize() == pathOf(input).normalize()
    def names = isSame ? [] : ['tables', 'studies', 'report', 'pipeline_info', 'earlier_run']
    def written = names.collect { name -> output.resolve(name) } + [workDir]
    return isAddress(input)
        ? written.findAll { folder -> folder.scheme != 'file' }.collect { folder -> folder.toUriString() }
        : written.findAll { folder -> folder.scheme == 'file' }.collect { folder -> folder.toAbsolutePath().toString() }
}

/** Make a directory that all tasks see, and return its absolute path; empty where it is no file system's. */
def sharedDirectory(directory) {
    return directory.scheme == 'file' && directory.mkdirs() != null ? directory.toAbsolutePath().toString() : ''
}

/** The failures of the last run that ended: it may have been set aside for one that was interrupted. Else []. */
def lastFailures(outdir) {
    def tables = ['tables', 'earlier_run/tables'].collect { folder -> pathOf("${outdir}/${folder}/failures.parquet") }
    return tables.find { table -> table.exists() } ?: []
}

/**
 * What becomes of the results.
 *   directory: where they go
 *   parameters: text of the settings kept there; paths of the user's files stay out, as they may hold a name
 *   as_dicom: whether they are wanted as DICOM too; store_to: address of the server that those go to, or ''
 */
def resultsOf(params) {
    def unkept = ['input', 'input_root', 'studies', 'download_dir', 'label_values', 'reviewed', 'corrected', 'segment_command', 'segment_files', 'segment_label_values', 'series_rules', 'deidentify_key', 'help']
    def kept = params.findAll { name, _value -> !(name in unkept) }
    return [
        directory: params.outdir,
        parameters: groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(kept)) + '\n',
        as_dicom: params.dicom_results || params.store_to,
        store_to: params.store_to ?: '',
    ]
}

/**
 * What becomes of the work directory.
 *   is_tidied: whether intermediates go at the end; work: the directory; settings: digest of all that tasks depend on beside
 *     the studies
 */
def workOf(params, run) {
    return [is_tidied: params.tidy, work: run.workDir, settings: settingsDigest(params, run)]
}

/** A digest of what the tasks between INDEX and GATHER depend on beside the studies. */
def settingsDigest(params, run) {
    def networks = networksOf(params)
    def used = [networks.localiser, networks.weights]
    def named = [params.label_values, params.segment_files, params.segment_label_values].findAll().collect { name -> pathOf(name) }
    def files = used.collect { weights, _digests, _line -> weights } + named
    def scripts = ['convert', 'crop', 'segment', 'segment_command', 'collect', 'quantify'].collect { name -> "modules/${name}.nf" } + ['bin/scarnet']
    return [
        files.findAll { path -> path.exists() }.collect { path -> [path.toUriString(), path.size(), path.lastModified()] },
        used.collect { _weights, _digests, line -> line },
        scripts.collect { name -> pathOf("${projectDir}/${name}").text.digest('SHA-256') },
        [params.fast, run.containerEngine, params.container_core, params.container_gpu, params.segment_command, params.segment_container],
    ].toString().digest('SHA-256')
}

def existing(path) {
    return path.exists() ? path : []
}
