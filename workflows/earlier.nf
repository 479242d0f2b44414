// What an earlier run left in OUT makes way for this one's results: it waits in OUT/earlier_run until this run has succeeded.

/**
 * Move the results of an earlier run aside and write this one's parameters. What waits there already, because a run failed,
 * is what to keep. In an object store all stay.
 */
def setAside(results) {
    def out = file(results.directory, glob: false)
    if (out.scheme == 'file') {
        def aside = out.resolve('earlier_run')
        def isWhole = aside.resolve('tables').exists()
        ['tables', 'studies', 'report', 'pipeline_info/parameters.json', 'pipeline_info/versions.json'].each { name ->
            moveInto(out.resolve(name), aside.resolve(name), isWhole)
        }
    }
    writeParameters(results)
}

def writeParameters(results) {
    def target = file("${results.directory}/pipeline_info/parameters.json", glob: false)
    target.parent.mkdirs()
    target.text = results.parameters
}

/**
 * Delete from OUT/earlier_run what this run has as well, and return what stays: the studies, how many files beside, and
 * whether its tables were kept to compare with.
 */
def deleteReplacedResults(outdir) {
    def out = file(outdir, glob: false)
    def aside = out.resolve('earlier_run')
    if (out.scheme != 'file' || !aside.exists()) {
        return [studies: [], files: 0, compared: false]
    }
    def compared = keepTables(out, aside)
    def studies = pathsIn(aside.resolve('studies')).findAll { study -> !out.resolve("studies/${study.name}/study.json").exists() }
    def files = pathsIn(aside).sum(0) { path -> deleteReplaced(path, out.resolve(path.name), studies) }
    if (!pathsIn(aside)) {
        java.nio.file.Files.delete(aside)
    }
    return [studies: studies.collect { study -> study.name }.sort(), files: files, compared: compared]
}

/**
 * Keep of the earlier run what `scarnet diff` reads, in OUT/pipeline_info/earlier_tables, and tell whether it was. Tables
 * that came from the cache are those of the run before: what is kept there stays.
 */
def keepTables(out, aside) {
    def scans = aside.resolve('tables/scans.parquet')
    if (!scans.exists() || java.nio.file.Files.mismatch(scans, out.resolve('tables/scans.parquet')) < 0) {
        return false
    }
    def folder = out.resolve('pipeline_info/earlier_tables')
    folder.mkdirs()
    ['tables/scans.parquet', 'tables/failures.parquet', 'pipeline_info/parameters.json', 'pipeline_info/versions.json'].each { name ->
        def kept = folder.resolve(aside.resolve(name).name)
        java.nio.file.Files.deleteIfExists(kept)
        moveInto(aside.resolve(name), kept, false)
    }
    return true
}

/** Move a file or folder to where it may be in part already: its own files there win if `isWhole`. */
def moveInto(source, target, isWhole) {
    if (source.isDirectory() && target.exists()) {
        pathsIn(source).each { path -> moveInto(path, target.resolve(path.name), isWhole) }
        java.nio.file.Files.delete(source)
    }
    else if (source.exists() && target.exists() && isWhole) {
        java.nio.file.Files.delete(source)
    }
    else if (source.exists()) {
        target.parent.mkdirs()
        java.nio.file.Files.move(source, target, java.nio.file.StandardCopyOption.ATOMIC_MOVE)
    }
}

/** Delete an earlier file, or a folder's files, that this run has as well; return how many others stay. */
def deleteReplaced(earlier, present, kept) {
    if (earlier in kept) {
        return 0
    }
    if (earlier.isDirectory()) {
        def files = pathsIn(earlier).sum(0) { path -> deleteReplaced(path, present.resolve(path.name), kept) }
        if (!pathsIn(earlier)) {
            java.nio.file.Files.delete(earlier)
        }
        return files
    }
    return present.exists() && java.nio.file.Files.deleteIfExists(earlier) ? 0 : 1
}

def pathsIn(folder) {
    return folder.isDirectory() ? folder.list().collect { name -> folder.resolve(name) } : []
}
