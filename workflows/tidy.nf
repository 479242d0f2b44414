// --tidy: what a finished batch left between its stages goes from the work directory. -resume takes the batch from the cache all
// the same, until it must be done again: then from CONVERT on, because CONVERT's input holds the batch's generation.

include { pathsIn } from './earlier'

/** What the batch's stages depend on beside its files: the settings of all batches, and the label maps from elsewhere. */
def batchSettings(settings, given, label_maps) {
    def files = label_maps.collect { path -> [path.toUriString(), path.size(), path.lastModified()] }
    return given ? [settings, given, files].toString().digest('SHA-256') : settings
}

/**
 * The generation of a batch: '' at first. A batch that was tidied keeps its own as long as its settings are those of then;
 * later ones are named by their settings, so that each is computed once.
 */
def generationOf(results, batch, settings) {
    def record = recordOf(results, batch)
    def tidied = record.exists() ? new groovy.json.JsonSlurper().parseText(record.text) : null
    return !tidied ? '' : tidied.settings == settings ? tidied.generation : settings
}

/**
 * Remove a finished batch's intermediates: of CONVERT all but what is published, of CROP and SEGMENT all. The directories
 * themselves stay as they are, since they are inputs of tasks in the cache. The record is written first: a batch that is
 * half removed counts as removed.
 */
def tidyBatch(results, batch, settings, generation, convert, crop, segment) {
    def record = recordOf(results, batch)
    record.parent.mkdirs()
    record.text = groovy.json.JsonOutput.toJson([settings: settings, generation: generation])
    [crop, segment].findAll { stage -> stage.resolve('studies').exists() }.each { stage ->
        stage.resolve('studies/.tidied').text = ''
        pathsIn(stage.resolve('studies')).findAll { study -> study.isDirectory() }.each { study -> study.deleteDir() }
    }
    pathsIn(convert.resolve('studies')).each { study ->
        pathsIn(study).findAll { path -> path.name != 'image.nii.gz' }.each { path -> path.delete() }
    }
}

def recordOf(results, batch) {
    return results.work.resolve("tidied/${batch}.json")
}
