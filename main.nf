#!/usr/bin/env nextflow
// Entry: parameters in, one of the workflows out. The only script that reads `params`.

include { BENCHMARK } from './workflows/benchmark'
include { COHORT } from './workflows/cohort'
include { DECIDE } from './modules/decide'
include { checkParameters ; foldsOf ; helpText ; weightsFiles ; writeParameters } from './workflows/parameters'

workflow {
    def schema = file("${projectDir}/nextflow_schema.json")
    if (params.help) {
        log.info(helpText(schema))
    }
    else {
        checkParameters(params, schema)
        writeParameters(params, file("${params.outdir}/pipeline_info/parameters.json"))
        def input = file(params.input).toAbsolutePath()
        // paths as plain text: tasks read them in place and nothing is staged
        def place = [
            path: input.toString(),
            root: (params.input_root ? file(params.input_root).toAbsolutePath() : input.isDirectory() ? input : input.parent).toString(),
        ]
        if (params.workflow in ['train', 'benchmark']) {
            def alone = params.workflow == 'train'
            def labels = params.label_values ? file(params.label_values) : []
            def runs = params.runs ? file(params.runs).toAbsolutePath() : null
            def store = (runs ?: file("${params.outdir}/${alone ? 'train' : 'runs'}").toAbsolutePath()).toString()
            def options = params.epochs ? "--epochs ${params.epochs}" : ''
            // One fold alone is a trial: nothing is trained to be kept.
            def kept = alone && params.fold == 'all' ? ['localiser', params.model] : []
            BENCHMARK(place, labels, alone ? [params.model] : params.models.tokenize(','), foldsOf(params), runs, options, store, kept)
            BENCHMARK.out.summary.view { text -> text.trim() }
            BENCHMARK.out.benchmark.view { "Benchmark: ${params.outdir}/benchmark/index.html" }
            if (alone) {
                DECIDE(BENCHMARK.out.trained.map { model, _fold, run -> tuple(model, run) }, BENCHMARK.out.benchmark.first())
                DECIDE.out.weights.view { weights -> "Weights: ${params.outdir}/weights/${weights.name}" }
            }
        }
        else {
            def previous = file("${params.outdir}/pipeline_info/index.parquet")
            def parts = file("${params.outdir}/pipeline_info/index_parts").toAbsolutePath()
            COHORT(
                place + [parts: parts.scheme == 'file' && parts.mkdirs() != null ? parts.toString() : ''],
                previous.exists() ? previous : [],
                "--batch-min ${params.batch_min} --batch-max ${params.batch_max}",
                weightsFiles(params.localiser, params),
                weightsFiles(params.weights, params),
                params.fast ? '--fast' : '',
                params.reviewed ? file(params.reviewed) : [],
                "--format ${params.tables_format}",
            )
            COHORT.out.summary.view { text -> text.trim() }
            COHORT.out.report.view { "Tables: ${params.outdir}/tables\nReport: ${params.outdir}/report/index.html" }
        }
    }
}
