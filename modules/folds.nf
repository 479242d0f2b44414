// Reads and checks every labelled case, and deals the patients to folds. Runs each time, as the cases may have changed.
include { quoted } from '../workflows/paths'

process FOLDS {
    tag 'cases'
    ext mount: { quoted(source.root) }
    cache false

    input:
    val source // map of inputOf: the cases
    path label_values, stageAs: 'label_values.csv' // or []

    output:
    path 'folds.csv', emit: folds, optional: true
    path 'problem.txt', emit: problem, optional: true // the cases are wrong; then there is nothing else

    script:
    """
    scarnet folds --problem problem.txt ${quoted(source.input)} --out folds.csv ${task.ext.args} \\
        ${label_values ? '--label-values label_values.csv' : ''}
    """

    stub:
    """
    touch folds.csv
    """
}
