// Volumes, mass, scar percent and the rest, for each study, slice and segment.
include { tablesApart } from '../workflows/paths'

process QUANTIFY {
    tag "${batch}"
    label 'published'

    input:
    tuple val(batch), path(convert), path(segment)

    output:
    tuple val(batch), path('quantify'), emit: batch // it holds no volume
    tuple val(batch), path('tables/quantify'), emit: tables
    path 'published/studies/*/{overlay.png,study.json}', emit: files, optional: true

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet quantify ${convert} ${segment} --out quantify --isolate ${task.ext.retry}
    ln -sfn quantify published
    ${tablesApart('quantify')}
    """

    stub:
    """
    mkdir -p quantify/studies/of-${batch}
    touch quantify/{scans,slices,segments,failures}.parquet quantify/studies/of-${batch}/{overlay.png,study.json}
    ln -sfn quantify published
    ${tablesApart('quantify')}
    """
}
