// Sweeps the input (or asks the server) on every run, reads the headers of what is new or changed, and cuts the studies
// into batches. What it has read is kept in `parts` until it is done, so that a task that is killed, retried or resumed goes
// on from there.
include { quoted } from '../workflows/paths'

process INDEX {
    tag 'input'
    label 'process_low'
    ext(
        mount: { input.server ? null : quoted(input.root) },
        store: { input.store ? quoted(input.store) : null },
        network: { input.server ? true : false },
    )

    cache false
    publishDir path: { input.memory }, mode: 'copy', saveAs: { name -> name == 'index/index.parquet' ? 'index.parquet' : null }
    publishDir path: { input.info }, mode: 'copy', saveAs: { name -> name == 'index/unread.parquet' ? 'unread.parquet' : null }

    input:
    val input // map of placeOf
    path previous, stageAs: 'previous.parquet'
    path failures, stageAs: 'last_failures.parquet' // of the run before, where failed studies are tried again, or []
    path studies, stageAs: 'studies.csv' // list of the studies wanted from a server, or []
    path series_rules, stageAs: 'series_rules.yml' // a site's rules of series selection, or []
    path key, stageAs: 'deidentify.key' // of the pseudonyms, or []
    val options // text: sizes of batches, and which failed studies are tried again

    output:
    path 'index/{studies,series,failures}.parquet', emit: tables, optional: true
    path 'index/batches/*.json', emit: batches, optional: true
    path 'index/index.parquet', emit: index, optional: true
    path 'index/unread.parquet', emit: unread, optional: true
    path 'problem.txt', emit: problem, optional: true // the input is wrong; then there is nothing else

    script:
    def source = quoted(input.server ?: input.path)
    def own = input.own.collect { folder -> "--leave-out ${quoted(folder)}" }.join(' ')
    def downloads = input.downloads ? "--downloads ${quoted(input.downloads)}" : ''
    """
    scarnet index ${source} --out index --problem problem.txt ${previous ? '--previous previous.parquet' : ''} \\
        ${own} ${input.parts ? "--parts ${quoted(input.parts)}" : ''} ${downloads} \\
        ${studies ? '--studies studies.csv' : ''} ${series_rules ? '--series-rules series_rules.yml' : ''} \\
        ${failures ? '--failures last_failures.parquet' : ''} ${key ? '--deidentify --deidentify-key deidentify.key' : ''} --jobs ${task.cpus} ${options} \\
        ${task.ext.retry}
    """
}
