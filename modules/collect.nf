// The label maps that a command left in SEGMENT's place, as SEGMENT would have written them; a study without one has failed.
include { quoted ; tablesApart } from '../workflows/paths'

process COLLECT {
    tag "${batch}"

    input:
    tuple val(batch), path(convert), path(labels)
    val command // for the tables
    path label_values, stageAs: 'label_values.csv' // what the values of its label maps mean, or []

    output:
    tuple val(batch), path('segment'), emit: batch
    tuple val(batch), path('tables/segment'), emit: tables

    script:
    """
    scarnet segment ${convert} --labels ${labels} --command ${quoted(command)} --out segment \\
        ${label_values ? '--label-values label_values.csv' : ''} --isolate ${task.ext.retry}
    ${tablesApart('segment')}
    """

    stub:
    """
    mkdir -p segment/studies/of-${batch}
    touch segment/failures.parquet segment/studies/of-${batch}/{labels.nii.gz,segment.json}
    ${tablesApart('segment')}
    """
}
