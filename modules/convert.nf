// DICOM to volumes with true geometry. Cached by the batch's content: which studies, and the digest of each one's files.
include { quoted ; tablesApart } from '../workflows/paths'

process CONVERT {
    tag "${batch}"
    label 'process_medium'
    label 'published'
    ext mount: { quoted(root) }, network: { is_remote }
    cache 'deep'

    input:
    tuple val(batch), path(studies), val(generation) // the generation: see workflows/tidy.nf
    val root // mounted into containers; the batch holds the paths below it. Empty where the batch was fetched, or is in a bucket
    val is_remote // whether files of the input lie in a bucket
    path key, stageAs: 'deidentify.key' // as in INDEX; it moves the studies' dates

    output:
    tuple val(batch), path('convert'), emit: batch
    tuple val(batch), path('tables/convert'), emit: tables
    path 'published/studies/*/image.nii.gz', emit: images, optional: true

    script:
    """
    export OMP_NUM_THREADS=1
    scarnet convert ${studies} --out convert ${key ? '--deidentify --deidentify-key deidentify.key' : ''} \\
        --isolate --jobs ${task.cpus} ${task.ext.retry}
    ln -sfn convert published
    ${tablesApart('convert')}
    """

    stub:
    """
    mkdir -p convert/studies/of-${batch}
    touch convert/failures.parquet convert/studies/of-${batch}/{image.nii.gz,reference.nii.gz,study.json}
    ln -sfn convert published
    ${tablesApart('convert')}
    """
}
