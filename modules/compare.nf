// All models' scores into the benchmark's tables and page. It runs last and alone, so that it can time the networks.
include { quoted } from '../workflows/paths'

process COMPARE {
    tag 'models'
    label 'process_gpu'
    label 'torch'
    ext mount: { quoted(input.root) }
    cache 'deep'

    input:
    path evaluations, stageAs: 'evaluations/?/*'
    val timed // names of the models whose runs follow
    path runs, stageAs: 'runs/?/*'
    val input // map: path of the cases (folder or samplesheet), root above all their files
    path label_values, stageAs: 'label_values.csv' // or []
    val options // text: weights that are known by name

    output:
    path 'benchmark', emit: benchmark
    stdout emit: summary

    script:
    def weights = [timed, [runs].flatten()].transpose().collect { model, run -> "--weights ${model} ${run}/weights.safetensors" }
    """
    scarnet benchmark ${quoted(input.path)} ${evaluations} ${weights.join(' ')} ${options} \\
        ${label_values ? '--label-values label_values.csv' : ''} --threads ${task.cpus} --out benchmark
    """
}
