// The network labels the slices of all studies of a batch; labels are pasted back on the full grid.
include { quoted ; tablesApart } from '../workflows/paths'

process SEGMENT {
    tag "${batch}"
    label 'process_gpu'
    label 'torch'
    label 'published'

    input:
    tuple val(batch), path(crop)
    tuple path(weights), val(listed) // line of SHA256SUMS, to compare with; or ''

    output:
    tuple val(batch), path('segment'), emit: batch
    tuple val(batch), path('tables/segment'), emit: tables
    path 'published/studies/*/labels.nii.gz', emit: labels, optional: true

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    echo ${quoted(listed) ?: ''} > SHA256SUMS
    scarnet segment ${crop} --weights ${weights} --out segment ${task.ext.args} ${task.accelerator ? '--gpu' : ''} --isolate ${task.ext.retry}
    ln -sfn segment published
    ${tablesApart('segment')}
    """

    stub:
    """
    mkdir -p segment/studies/of-${batch}
    touch segment/failures.parquet segment/studies/of-${batch}/{labels.nii.gz,segment.json}
    ln -sfn segment published
    ${tablesApart('segment')}
    """
}
