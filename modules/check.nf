// The two networks, before anything else runs: whole, as listed, trained, each for its task.
process CHECK {
    tag 'networks'

    input:
    tuple path(localiser, stageAs: 'localiser/*'), path(localiser_digests, stageAs: 'localiser/*')
    tuple path(weights, stageAs: 'weights/*'), path(digests, stageAs: 'weights/*')

    output:
    path 'passed.txt', emit: passed, optional: true
    path 'problem.txt', emit: problem, optional: true // one is wrong; then there is nothing else

    script:
    """
    scarnet weights check --localiser ${localiser} --weights ${weights} --problem problem.txt | tee passed.txt
    if [ -e problem.txt ]; then rm passed.txt; fi
    """

    stub:
    """
    echo "the networks" > passed.txt
    """
}
