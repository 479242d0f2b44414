// What one model makes of the cases that a fold held out.
include { quoted } from '../workflows/paths'

process EVALUATE {
    tag "${model} ${fold}"
    label 'process_gpu'
    label 'torch'
    ext mount: { quoted(source.root) }
    cache 'deep'

    input:
    tuple val(model), val(fold), path(run, stageAs: 'run/*'), path(localiser, stageAs: 'localiser/*')
    val source // map of inputOf: the cases
    path folds // of FOLDS: the cases' digests, so that other cases make another task
    path label_values, stageAs: 'label_values.csv' // or []

    output:
    tuple val(model), val(fold), path('evaluation'), emit: evaluation

    script:
    // a model without a run is MedSAM as published, with the experts' boxes
    def system = run ? "--segment-run run ${localiser ? '--localise-run localiser' : ''}" : '--prompted lite_medsam'
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet evaluate ${quoted(source.input)} ${system} --name ${model} --fold ${fold} ${task.ext.args} \\
        ${label_values ? '--label-values label_values.csv' : ''} --out evaluation
    """

    stub:
    """
    mkdir evaluation
    touch evaluation/cases.csv
    """
}
