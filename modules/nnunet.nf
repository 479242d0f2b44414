// nnU-Net's own planning and training without one fold, and its labels of that fold's cases.
include { quoted } from '../workflows/paths'

process NNUNET {
    tag "${fold}"
    label 'process_train'
    label 'torch'
    ext mount: { quoted(source.root) }
    cache 'deep'

    input:
    val fold
    val source // map of inputOf: the cases
    path folds // of FOLDS: the cases' digests, so that other cases make another task
    path label_values, stageAs: 'label_values.csv' // or []

    output:
    tuple val('nnunet'), val(fold), path("fold_${fold}"), emit: trained, optional: true
    path 'problem.txt', emit: problem, optional: true // it is not installed

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet nnunet --problem problem.txt ${quoted(source.input)} --fold ${fold} ${task.ext.args} \\
        ${label_values ? '--label-values label_values.csv' : ''} --out fold_${fold}
    """

    stub:
    """
    mkdir -p fold_${fold}/labels
    """
}
