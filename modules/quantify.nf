// Volumes, mass, scar percent and the rest, for each study, slice and segment.
process QUANTIFY {
    tag "${batch}"
    label 'process_low'

    input:
    tuple val(batch), path(convert), path(segment)

    output:
    tuple val(batch), path('quantify'), emit: batch
    path 'published/studies/*/*', emit: files, optional: true

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet quantify ${convert} ${segment} --out quantify --isolate ${task.ext.retry}
    ln -sfn quantify published
    """
}
