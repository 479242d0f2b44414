// Sweeps the input on every run, reads the headers of what is new or changed, and cuts the studies into batches. What it
// has read is kept in `parts` until it is done, so that a task that is killed, retried or resumed goes on from there.
process INDEX {
    tag 'input'
    label 'process_low'
    ext mount: { nextflow.util.Escape.path(input.root) }, store: { input.parts ? nextflow.util.Escape.path(input.parts) : null }
    cache false

    input:
    val input // map: path and root of the input; parts: directory that outlives tasks, there already, or empty
    path previous, stageAs: 'previous.parquet'
    val options

    output:
    path 'index/{studies,series,failures}.parquet', emit: tables, optional: true
    path 'index/batches/*.json', emit: batches, optional: true
    path 'index/index.parquet', emit: index, optional: true
    path 'index/unread.parquet', emit: unread, optional: true
    path 'problem.txt', emit: problem, optional: true // the input is wrong; then there is nothing else

    script:
    """
    scarnet index ${nextflow.util.Escape.path(input.path)} --out index --problem problem.txt \\
        ${previous ? '--previous previous.parquet' : ''} \\
        ${input.parts ? "--parts ${nextflow.util.Escape.path(input.parts)}" : ''} --jobs ${task.cpus} ${options}
    """
}
