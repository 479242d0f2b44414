// Reads and checks every labelled case, and deals the patients to folds. Runs each time, as the cases may have changed.
include { quoted } from '../workflows/paths'

process FOLDS {
    tag 'cases'
    label 'process_low'
    ext mount: { quoted(input.root) }
    cache false

    input:
    val input // map: path of the cases (folder or samplesheet), root above all their files
    path label_values, stageAs: 'label_values.csv' // or []
    val folds // how many

    output:
    path 'folds.csv', emit: folds, optional: true
    path 'problem.txt', emit: problem, optional: true // the cases are wrong; then there is nothing else

    script:
    """
    scarnet folds ${quoted(input.path)} --folds ${folds} --out folds.csv --problem problem.txt \\
        ${label_values ? '--label-values label_values.csv' : ''}
    """
}
