// The weights of a model trained on all cases, with the thresholds that its folds chose, as they are to be used.
process DECIDE {
    tag "${model}"
    label 'torch'

    input:
    tuple val(model), path(run, stageAs: 'run/*')
    path benchmark // of COMPARE

    output:
    path "weights/${model}.safetensors", emit: weights

    script:
    """
    mkdir weights
    decision=${benchmark}/decisions/${model}.json
    if [ -e \$decision ]; then
        scarnet weights decide ${run}/weights.safetensors \$decision --out weights/${model}.safetensors
    else
        cp ${run}/weights.safetensors weights/${model}.safetensors
    fi
    """

    stub:
    """
    mkdir weights
    touch weights/${model}.safetensors
    """
}
