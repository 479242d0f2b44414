// Sweeps the input (or asks the server) on every run, reads the headers of what is new or changed, and cuts the studies
// into batches. What it has read is kept in `parts` until it is done, so that a task that is killed, retried or resumed goes
// on from there.
include { quoted } from '../workflows/paths'

process INDEX {
    tag 'input'
    label 'process_high'
    ext(
        mount: { quoted(source.root) },
        shared: { quoted(source.shared) },
        network: { source.is_server || source.is_remote },
    )

    cache false
    publishDir path: { source.memory }, mode: 'copy', saveAs: { name -> name == 'index/index.parquet' ? 'index.parquet' : null }
    publishDir path: { source.info }, mode: 'copy', saveAs: { name -> name == 'index/unread.parquet' ? 'unread.parquet' : null }

    input:
    val source // map of sourceOf
    path previous, stageAs: 'previous.parquet'
    path failures, stageAs: 'last_failures.parquet' // of the run before, where failed studies are tried again, or []
    path studies, stageAs: 'studies.csv' // list of the studies wanted from a server, or []
    path series_rules, stageAs: 'series_rules.yml' // a site's rules of series selection, or []
    path key, stageAs: 'deidentify.key' // of the pseudonyms, or []
    path corrected, stageAs: 'corrected' // folder of label maps that readers corrected, or []

    output:
    path 'index/{studies,series,failures}.parquet', emit: tables, optional: true
    path 'index/batches/*.json', emit: batches, optional: true
    path 'index/label_maps.json', emit: label_maps, optional: true
    path 'index/index.parquet', emit: index, optional: true
    path 'index/unread.parquet', emit: unread, optional: true
    path 'problem.txt', emit: problem, optional: true // the input is wrong; then there is nothing else

    script:
    def leave_out = source.leave_out.collect { folder -> "--leave-out ${quoted(folder)}" }.join(' ')
    """
    scarnet index --problem problem.txt ${quoted(source.input)} --out index ${previous ? '--previous previous.parquet' : ''} \\
        ${leave_out} ${source.parts ? "--parts ${quoted(source.parts)}" : ''} \\
        ${source.downloads ? "--downloads ${quoted(source.downloads)}" : ''} \\
        ${studies ? '--studies studies.csv' : ''} ${series_rules ? '--series-rules series_rules.yml' : ''} \\
        ${failures ? '--failures last_failures.parquet' : ''} ${key ? '--deidentify-key deidentify.key' : ''} \\
        ${corrected ? '--corrected corrected' : ''} ${task.ext.args} --jobs ${task.cpus} ${task.ext.retry}
    """

    stub:
    """
    mkdir -p index/batches
    touch index/{studies,series,failures,index,unread}.parquet
    seq -f 'index/batches/batch-%.0f.json' \${SCARNET_STUB_BATCHES:-2} | xargs touch
    (cd index/batches && ls | sed 's/.*/"&": []/; s/.json//' | paste -sd, | sed 's/.*/{&}/') > index/label_maps.json
    """
}
