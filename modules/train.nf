// One training: a model without one fold, or on all cases. It lives in `trainings`, outside the work directory, so that a task
// that is killed, retried or resumed goes on after its last epoch; its results are copied from there.
include { quoted } from '../workflows/paths'

process TRAIN {
    tag "${model} ${fold}"
    label 'process_train'
    label 'torch'
    ext mount: { quoted(source.root) }, shared: { quoted(trainings) }
    cache 'deep'
    publishDir path: { "${trainings}/${model}" }, mode: 'copy', overwrite: false // where a resumed run finds it gone

    input:
    tuple val(model), val(fold), path(start, stageAs: 'start/*') // preset; fold to hold out, or 'all'; run to start from, or []
    val source // map of inputOf: the cases
    path folds // of FOLDS: the cases' digests, so that other cases make another task
    path label_values, stageAs: 'label_values.csv' // or []
    val trainings // directory that outlives tasks; there already

    output:
    tuple val(model), val(fold), path("fold_${fold}"), emit: trained

    script:
    def kept = quoted("${trainings}/${model}/fold_${fold}")
    """
    scarnet train ${quoted(source.input)} --model ${model} ${fold == 'all' ? '' : "--fold ${fold}"} \\
        ${start ? "--start-from ${start}/weights.safetensors" : ''} \\
        ${label_values ? '--label-values label_values.csv' : ''} --threads ${task.cpus} ${task.ext.args} --out ${kept}
    mkdir fold_${fold}
    cp ${kept}/{weights.safetensors,settings.json,log.csv,curve.svg} fold_${fold}
    """

    stub:
    """
    mkdir fold_${fold}
    touch fold_${fold}/{weights.safetensors,settings.json,log.csv,curve.svg}
    """
}
