// The network labels the slices of all studies of a batch; labels are pasted back on the full grid. QUANTIFY publishes
// them, or those that a reader corrected.
include { quoted ; tablesApart } from '../workflows/paths'

process SEGMENT {
    tag "${batch}"
    label 'process_gpu'
    label 'torch'

    input:
    tuple val(batch), path(crop)
    tuple path(weights), val(listed) // line of SHA256SUMS, to compare with; or ''

    output:
    tuple val(batch), path('segment'), emit: batch
    tuple val(batch), path('tables/segment'), emit: tables

    script:
    """
    export OMP_NUM_THREADS=${task.accelerator ? task.cpus : 1}
    echo ${quoted(listed) ?: ''} > SHA256SUMS
    scarnet segment ${crop} --weights ${weights} --out segment ${task.ext.args} ${task.accelerator ? '--gpu' : ''} \\
        --isolate --jobs ${task.accelerator ? 1 : task.cpus} ${task.ext.retry}
    ${tablesApart('segment')}
    """

    stub:
    """
    mkdir -p segment/studies/of-${batch}
    touch segment/failures.parquet segment/studies/of-${batch}/{labels.nii.gz,segment.json}
    ${tablesApart('segment')}
    """
}
