// What the outputs of tasks name. Only cohort.nf includes this: a script that several include can include none, for Nextflow 25.

include { pathOf } from './paths'

/** Where a folder that a task made lies, as in inputOf; with the work directory in a bucket, it has an address. */
def placeOf(folder) {
    def is_remote = folder.scheme != 'file'
    def path = is_remote ? folder.toUriString() : folder.toString()
    return [input: path, is_remote: is_remote, root: is_remote ? '' : path]
}

/** Label maps from elsewhere: batch -> tuple of [study, source] of each, as `scarnet quantify` takes them, and their files. */
def labelMapsOf(json, corrected) {
    return new groovy.json.JsonSlurper().parseText(json.text).collect { batch, maps ->
        def files = maps.collect { map ->
            pathOf(map.source == 'corrected' ? [corrected, map.reader, pathOf(map.path).name].findAll().join('/') : map.path)
        }
        tuple(batch, maps.collect { map -> [map.study_id, map.reader ? "reader:${map.reader}".toString() : map.source] }, files)
    }
}
