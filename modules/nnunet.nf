// nnU-Net's own planning and training without one fold, and its labels of that fold's cases.
include { quoted } from '../workflows/paths'

process NNUNET {
    tag "${fold}"
    label 'process_train'
    label 'torch'
    ext mount: { quoted(input.root) }
    cache 'deep'

    input:
    val fold
    val input // map: path of the cases (folder or samplesheet), root above all their files
    path folds // of FOLDS: the cases' digests, so that other cases make another task
    path label_values, stageAs: 'label_values.csv' // or []
    val options // text: numbers of folds and epochs

    output:
    tuple val('nnunet'), val(fold), path("fold_${fold}"), emit: trained, optional: true
    path 'problem.txt', emit: problem, optional: true // it is not installed

    script:
    """
    export OMP_NUM_THREADS=${task.cpus}
    scarnet nnunet ${quoted(input.path)} --fold ${fold} ${options} --problem problem.txt \\
        ${label_values ? '--label-values label_values.csv' : ''} --out fold_${fold}
    """
}
