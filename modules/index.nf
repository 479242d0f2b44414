// Sweeps the input on every run, reads the headers of what is new or changed, and cuts the studies into batches.
process INDEX {
    tag 'input'
    label 'process_low'
    ext mount: { nextflow.util.Escape.path(input.root) }
    cache false

    input:
    val input
    path previous, stageAs: 'previous.parquet'
    path key, stageAs: 'deidentify.key' // of the pseudonyms, or []
    val options

    output:
    path 'index/{studies,series,failures}.parquet', emit: tables, optional: true
    path 'index/batches/*.json', emit: batches, optional: true
    path 'index/index.parquet', emit: index, optional: true
    path 'problem.txt', emit: problem, optional: true // the input is wrong; then there is nothing else

    script:
    """
    scarnet index ${nextflow.util.Escape.path(input.path)} --out index --problem problem.txt \\
        ${previous ? '--previous previous.parquet' : ''} ${key ? '--deidentify --deidentify-key deidentify.key' : ''} --jobs ${task.cpus} ${options}
    """
}
