// The cohort's index, and a page and a picture of every study.
process REPORT {
    tag 'cohort'
    label 'process_medium'

    input:
    path tables
    path versions, stageAs: 'pipeline_info/*' // of the software, for the methods paragraph
    path measured, stageAs: 'measured/?/*'

    output:
    path 'report', emit: report

    script:
    """
    mkdir -p measured # not there where no study came as far
    scarnet report ${tables} --studies measured --out report
    """

    stub:
    """
    mkdir report
    touch report/index.html
    """
}
