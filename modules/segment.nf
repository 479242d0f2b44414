// The network labels the slices of all studies of a batch; labels are pasted back on the full grid.
process SEGMENT {
    tag "${batch}"
    label 'process_gpu'
    label 'torch'

    input:
    tuple val(batch), path(crop)
    tuple path(weights), path(digests) // staged beside it, to compare with
    val options

    output:
    tuple val(batch), path('segment'), emit: batch
    path 'published/studies/*/labels.nii.gz', emit: labels, optional: true

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet segment ${crop} --weights ${weights} --out segment ${options} ${task.accelerator ? '--gpu' : ''} --isolate ${task.ext.retry}
    ln -sfn segment published
    """
}
