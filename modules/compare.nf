// All models' scores into the benchmark's tables and page. It runs last and alone, so that it can time the networks.
include { quoted } from '../workflows/paths'

process COMPARE {
    tag 'models'
    label 'process_gpu'
    label 'torch'
    ext mount: { quoted(source.root) }
    cache 'deep'

    input:
    path evaluations, stageAs: 'evaluations/?/*'
    val timed // names of the models whose runs follow
    path runs, stageAs: 'runs/?/*'
    val source // map of inputOf: the cases
    path label_values, stageAs: 'label_values.csv' // or []

    output:
    path 'benchmark', emit: benchmark
    stdout emit: summary

    script:
    def weights = [timed, [runs].flatten()].transpose().collect { model, run -> "--weights ${model} ${run}/weights.safetensors" }
    """
    scarnet benchmark ${quoted(source.input)} ${evaluations} ${weights.join(' ')} ${task.ext.args} \\
        ${label_values ? '--label-values label_values.csv' : ''} --threads ${task.cpus} --out benchmark
    """

    stub:
    """
    mkdir -p benchmark/decisions
    touch benchmark/index.html
    echo "the table of the models"
    """
}
