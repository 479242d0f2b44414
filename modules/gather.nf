// All fragments into the cohort's tables; fails when a study that INDEX saw is lost. The index's tables count by content.
process GATHER {
    tag 'cohort'
    label 'process_medium'
    cache 'deep'

    input:
    path index, stageAs: 'fragments/index/*'
    path fragments, stageAs: 'fragments/?/*' // of each stage and batch the tables alone
    path reviewed, stageAs: 'decisions.csv' // a reader's decisions, or []

    output:
    path 'tables', emit: tables
    path 'versions.json', emit: versions
    stdout emit: summary

    script:
    """
    scarnet gather fragments/index ${fragments} --out tables ${task.ext.args} ${reviewed ? '--reviewed decisions.csv' : ''}
    scarnet versions > versions.json
    """

    stub:
    """
    mkdir tables
    touch tables/{scans,slices,segments,series,failures,readers,readers_summary,follow_up}.parquet versions.json
    echo "the studies"
    """
}
