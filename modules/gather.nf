// All fragments into the cohort's tables; fails when a study that INDEX saw is lost. The index's tables count by content.
process GATHER {
    tag 'cohort'
    label 'process_medium'
    cache 'deep'

    input:
    path index, stageAs: 'fragments/index/*'
    path fragments, stageAs: 'fragments/?/*'
    path reviewed, stageAs: 'decisions.csv' // a reader's decisions, or []
    val options // text: format of the tables

    output:
    path 'tables', emit: tables
    path 'versions.json', emit: versions
    stdout emit: summary

    script:
    """
    scarnet gather fragments/index ${fragments} --out tables ${options} ${reviewed ? '--reviewed decisions.csv' : ''}
    scarnet versions > versions.json
    """
}
