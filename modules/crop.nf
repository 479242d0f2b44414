// The localiser finds the heart; 128 x 128 pixels at a fixed spacing round it.
include { quoted ; tablesApart } from '../workflows/paths'

process CROP {
    tag "${batch}"
    label 'process_medium'
    label 'torch'

    input:
    tuple val(batch), path(convert)
    tuple path(localiser), val(listed) // line of SHA256SUMS, to compare with; or ''

    output:
    tuple val(batch), path('crop'), emit: batch
    tuple val(batch), path('tables/crop'), emit: tables

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    echo ${quoted(listed) ?: ''} > SHA256SUMS
    scarnet crop ${convert} --weights ${localiser} --out crop --isolate ${task.ext.retry}
    ${tablesApart('crop')}
    """

    stub:
    """
    mkdir crop
    touch crop/failures.parquet
    ${tablesApart('crop')}
    """
}
