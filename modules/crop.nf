// The localiser finds the heart; 128 x 128 pixels at a fixed spacing round it.
process CROP {
    tag "${batch}"
    label 'process_medium'
    label 'torch'

    input:
    tuple val(batch), path(convert)
    tuple path(localiser), path(digests) // staged beside it, to compare with

    output:
    tuple val(batch), path('crop'), emit: batch

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet crop ${convert} --weights ${localiser} --out crop --isolate ${task.ext.retry}
    """
}
