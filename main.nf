#!/usr/bin/env nextflow
// Entry: parameters in, one of the workflows out. The only script that reads `params`.

include { BENCHMARK } from './workflows/benchmark'
include { COHORT } from './workflows/cohort'
include { DECIDE } from './modules/decide'
include { checkParameters ; deidentifyKey ; indexMemory ; foldsOf ; helpText ; lastFailures ; outputOf ; placeOf ; weightsFiles } from './workflows/parameters'
include { claimOutput ; dropOwn } from './workflows/claim'
include { writeParameters } from './workflows/earlier'
include { pathOf } from './workflows/paths'
include { judgeAtEnd ; sayLast } from './workflows/ending'

workflow {
    def schema = pathOf("${projectDir}/nextflow_schema.json")
    if (params.help) {
        log.info(helpText(schema))
        dropOwn()
    }
    else {
        checkParameters(params, schema)
        sayLast(workflow, params.outdir, claimOutput(params.outdir, workflow))
        if (params.workflow in ['train', 'benchmark']) {
            writeParameters(outputOf(params))
            def alone = params.workflow == 'train'
            def labels = params.label_values ? pathOf(params.label_values) : []
            def runs = params.runs ? pathOf(params.runs).toAbsolutePath() : null
            def store = (runs ?: pathOf("${params.outdir}/${alone ? 'train' : 'runs'}").toAbsolutePath()).toString()
            def options = params.epochs ? "--epochs ${params.epochs}" : ''
            // One fold alone is a trial: nothing is trained to be kept.
            def kept = alone && params.fold == 'all' ? ['localiser', params.model] : []
            BENCHMARK(placeOf(params, workflow.workDir), labels, alone ? [params.model] : params.models.tokenize(','), foldsOf(params), runs, options, store, kept)
            BENCHMARK.out.summary.view { text -> text.trim() }
            BENCHMARK.out.benchmark.view { "Benchmark: ${params.outdir}/benchmark/index.html" }
            if (alone) {
                DECIDE(BENCHMARK.out.trained.map { model, _fold, run -> tuple(model, run) }, BENCHMARK.out.benchmark.first())
                DECIDE.out.weights.view { weights -> "Weights: ${params.outdir}/weights/${weights.name}" }
            }
        }
        else {
            judgeAtEnd(workflow, params.outdir)
            COHORT(
                placeOf(params, workflow.workDir),
                indexMemory(params, workflow.workDir),
                params.retry_failed ? lastFailures(params.outdir) : [],
                params.series_rules ? pathOf(params.series_rules) : [],
                deidentifyKey(params) ?: [],
                "--batch-min ${params.batch_min} --batch-max ${params.batch_max}" + (params.retry_failed ? " --retry-failed '${params.retry_failed}'" : ''),
                weightsFiles(params.localiser, params),
                weightsFiles(params.weights, params),
                params.fast ? '--fast' : '',
                params.reviewed ? pathOf(params.reviewed) : [],
                "--format ${params.tables_format}",
                [asked: params.dicom_results || params.store_to, store: params.store_to ?: ''],
                outputOf(params),
            )
            COHORT.out.summary.view { text -> text.trim() }
            COHORT.out.report.view { "Tables: ${params.outdir}/tables\nReport: ${params.outdir}/report/index.html" }
        }
    }
}
