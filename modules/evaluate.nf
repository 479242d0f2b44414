// What one model makes of the cases that a fold held out.
include { quoted } from '../workflows/paths'

process EVALUATE {
    tag "${model} ${fold}"
    label 'process_gpu'
    label 'torch'
    ext mount: { quoted(input.root) }
    cache 'deep'

    input:
    tuple val(model), val(fold), path(run, stageAs: 'run/*'), path(localiser, stageAs: 'localiser/*')
    val input // map: path of the cases (folder or samplesheet), root above all their files
    path folds // of FOLDS: the cases' digests, so that other cases make another task
    path label_values, stageAs: 'label_values.csv' // or []
    val options // text: the number of folds

    output:
    tuple val(model), val(fold), path('evaluation'), emit: evaluation

    script:
    // a model without a run is MedSAM as published, with the experts' boxes
    def system = run ? "--segment-run run ${localiser ? '--localise-run localiser' : ''}" : '--prompted lite_medsam'
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet evaluate ${quoted(input.path)} ${system} --name ${model} --fold ${fold} ${options} \\
        ${label_values ? '--label-values label_values.csv' : ''} --out evaluation
    """
}
