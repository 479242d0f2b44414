// One page: every study's picture and the cohort's distributions.
process REPORT {
    tag 'cohort'
    label 'process_medium'

    input:
    path tables
    path measured, stageAs: 'measured/?/*'

    output:
    path 'report', emit: report

    script:
    """
    scarnet report ${tables} --studies measured --out report
    """
}
