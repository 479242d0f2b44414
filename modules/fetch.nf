// The chosen images of a batch from a DICOMweb server. Few tasks at once, each with few connections, for the server's sake.
include { quoted } from '../workflows/paths'

process FETCH {
    tag "${batch}"
    label 'process_low'
    ext store: { downloads ? quoted(downloads) : null }, network: true
    cache 'deep'
    maxForks 2

    input:
    tuple val(batch), path(studies)
    val downloads // directory that outlives tasks, so that nothing comes twice; there already. Or empty

    output:
    tuple val(batch), path('fetched'), emit: batch
    tuple val(batch), path('fetch'), emit: failures

    script:
    """
    scarnet fetch ${studies} --out fetched ${downloads ? "--downloads ${quoted(downloads)}" : ''}
    mkdir fetch
    mv fetched/failures.parquet fetch
    """
}
