// The chosen images of a batch from a DICOMweb server. Few tasks at once, each with few connections, for the server's sake.
include { quoted } from '../workflows/paths'

process FETCH {
    tag "${batch}"
    ext shared: { quoted(downloads) }, network: true
    cache 'deep'
    maxForks 2

    input:
    tuple val(batch), path(studies)
    val downloads // directory that outlives tasks, so that nothing comes twice; there already. Or empty

    output:
    tuple val(batch), path('fetched'), emit: batch
    tuple val(batch), path('tables/fetch'), emit: tables

    script:
    """
    scarnet fetch ${studies} --out fetched ${downloads ? "--downloads ${quoted(downloads)}" : ''}
    mkdir -p tables/fetch
    mv fetched/failures.parquet tables/fetch
    """

    stub:
    """
    mkdir -p fetched tables/fetch
    touch fetched/batch.json tables/fetch/failures.parquet
    """
}
