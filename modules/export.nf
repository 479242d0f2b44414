// Results as DICOM, for an archive: a segmentation and a report of every study. The source images' headers are read again.
include { quoted ; tablesApart } from '../workflows/paths'

process EXPORT {
    tag "${batch}"
    label 'process_medium'
    label 'published'
    ext mount: { quoted(root) }, network: { is_remote }
    cache 'deep'

    input:
    tuple val(batch), path(studies), path(quantify)
    val root // as in CONVERT
    val is_remote // as there
    path key, stageAs: 'deidentify.key' // as in INDEX

    output:
    tuple val(batch), path('export'), emit: batch
    tuple val(batch), path('tables/export'), emit: tables
    path 'published/studies/*/{seg,report}.dcm', emit: files, optional: true

    script:
    """
    scarnet export ${studies} ${quantify} --out export \\
        ${key ? '--deidentify --deidentify-key deidentify.key' : ''} --isolate --jobs ${task.cpus} ${task.ext.retry}
    ln -sfn export published
    ${tablesApart('export')}
    """

    stub:
    """
    mkdir -p export/studies/of-${batch}
    touch export/{exports,failures}.parquet export/studies/of-${batch}/{seg,report}.dcm
    ln -sfn export published
    ${tablesApart('export')}
    """
}
