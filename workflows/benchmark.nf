// Models against the same experts on the same folds: FOLDS -> TRAININGS or a finished run -> EVALUATE -> COMPARE.

include { FOLDS } from '../modules/folds'
include { NNUNET } from '../modules/nnunet'
include { EVALUATE } from '../modules/evaluate'
include { COMPARE } from '../modules/compare'
include { pathOf } from './paths'
include { TRAININGS } from './trainings'

workflow BENCHMARK {
    take:
    source // map of inputOf: the cases
    label_values // table of label values, or []
    models // list of names: presets of `scarnet train`, medsam_zero_shot, nnunet
    folds // list of those that are held out in turn
    runs // directory of finished runs, MODEL/fold_K, or null
    trainings // directory where trainings outlive their tasks
    kept // list of models to train on all cases as well

    main:
    pathOf(trainings).mkdirs() // containers mount it
    FOLDS(source, label_values)
    FOLDS.out.problem.subscribe { message -> error(message.text.trim()) }
    dealt = FOLDS.out.folds

    // Every network's crops come from a localiser that has not seen the case either.
    networks = models - ['medsam_zero_shot', 'nnunet']
    wanted = [networks + (networks ? ['localiser'] : []) + models.intersect(['nnunet']), folds].combinations()
    finished = finishedRuns(runs, wanted)
    missing = wanted - finished.collect { model, fold, _run -> [model, fold] }

    TRAININGS(
        missing.findAll { model, _fold -> model != 'nnunet' } + [kept, ['all']].combinations(),
        finishedRuns(runs, [['unet'], folds].combinations()),
        source,
        dealt,
        label_values,
        trainings,
    )
    NNUNET(
        channel.fromList(missing.findAll { model, _fold -> model == 'nnunet' }.collect { _model, fold -> fold }),
        source,
        dealt,
        label_values,
    )
    NNUNET.out.problem.subscribe { message -> error(message.text.trim()) }

    // (fold, model, run): networks wait for the localiser of their fold, the others for nobody
    ch_trained = TRAININGS.out.trained.branch { _model, fold, _run ->
        whole: fold == 'all'
        held_out: true
    }
    ch_runs = ch_trained.held_out.mix(NNUNET.out.trained, channel.fromList(finished)).branch { model, fold, run ->
        localiser: model == 'localiser'
        return tuple(fold, run)
        labels: model == 'nnunet'
        return tuple(model, fold, run, [])
        network: true
        return tuple(fold, model, run)
    }
    ch_networks = ch_runs.network.combine(ch_runs.localiser, by: 0).map { fold, model, run, localiser -> tuple(model, fold, run, localiser) }
    ch_prompted = channel.fromList([models.intersect(['medsam_zero_shot']), folds].combinations()).map { model, fold -> tuple(model, fold, [], []) }
    EVALUATE(ch_networks.mix(ch_runs.labels, ch_prompted), source, dealt, label_values)

    // sorted, so that the same evaluations make the same task whatever finished first
    ch_evaluations = EVALUATE.out.evaluation
        .toSortedList { a, b -> a[0] <=> b[0] ?: a[1] <=> b[1] }
        .map { all -> all.collect { entry -> entry[2] } }
    ch_timed = ch_networks
        .filter { _model, fold, _run, _localiser -> fold == folds.first() }
        .toSortedList { a, b -> a[0] <=> b[0] }
    COMPARE(
        ch_evaluations,
        ch_timed.map { runs_of_fold -> runs_of_fold.collect { entry -> entry[0] } },
        ch_timed.map { runs_of_fold -> runs_of_fold.collect { entry -> entry[2] } },
        source,
        label_values,
    )

    benchmark = COMPARE.out.benchmark
    summary = COMPARE.out.summary
    trained = ch_trained.whole

    emit:
    benchmark
    summary // text: the table of the models
    trained // (model, 'all', run) of `kept`
}

// Those of the (model, fold) whose run is finished, as (model, fold, run).
def finishedRuns(runs, wanted) {
    wanted
        .collect { model, fold -> [model, fold, runs ? pathOf("${runs}/${model}/fold_${fold}") : null] }
        .findAll { _model, _fold, run -> run && (run.resolve('weights.safetensors').exists() || run.resolve('labels').exists()) }
}
