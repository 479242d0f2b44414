#!/usr/bin/env nextflow
// Entry: parameters in, one of the workflows out. The only script that reads `params`; conf/ makes options of them.

include { BENCHMARK } from './workflows/benchmark'
include { COHORT } from './workflows/cohort'
include { DECIDE } from './modules/decide'
include { checkParameters ; helpText } from './workflows/parameters'
include { chosenFolds ; deidentifyKey ; inputOf ; namedFile ; networksOf ; readersOf ; resultsOf ; sourceOf ; workOf } from './workflows/inputs'
include { claimOutput ; dropOwn } from './workflows/claim'
include { writeParameters } from './workflows/earlier'
include { pathOf } from './workflows/paths'
include { judgeAtEnd ; announceEnd } from './workflows/ending'

workflow {
    def schema = pathOf("${projectDir}/nextflow_schema.json")
    if (params.help) {
        log.info(helpText(schema))
        dropOwn()
    }
    else {
        checkParameters(params, schema)
        announceEnd(workflow, params.outdir, claimOutput(params.outdir, workflow))
        if (params.workflow in ['train', 'benchmark']) {
            writeParameters(resultsOf(params))
            def alone = params.workflow == 'train'
            def models = alone ? [params.model] : params.models.tokenize(',')
            def runs = params.runs ? pathOf(params.runs).toAbsolutePath() : null
            def trainings = (runs ?: pathOf("${params.outdir}/${alone ? 'train' : 'runs'}").toAbsolutePath()).toString()
            // One fold alone is a trial: nothing is trained to be kept.
            def kept = alone && params.fold == 'all' ? ['localiser', params.model] : []
            BENCHMARK(inputOf(params), namedFile(params.label_values), models, chosenFolds(params), runs, trainings, kept)
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
                sourceOf(params, workflow.workDir),
                namedFile(params.series_rules),
                deidentifyKey(params),
                networksOf(params),
                readersOf(params),
                resultsOf(params) + workOf(params, workflow),
            )
            COHORT.out.summary.view { text -> text.trim() }
            COHORT.out.report.view { "Tables: ${params.outdir}/tables\nReport: ${params.outdir}/report/index.html" }
        }
    }
}
