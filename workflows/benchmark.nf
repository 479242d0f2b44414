// Models against the same experts on the same folds: FOLDS -> TRAININGS or a finished run -> EVALUATE -> COMPARE.

include { FOLDS } from '../modules/folds'
include { NNUNET } from '../modules/nnunet'
include { EVALUATE } from '../modules/evaluate'
include { COMPARE } from '../modules/compare'
include { pathOf } from './paths'
include { TRAININGS } from './trainings'

workflow BENCHMARK {
    take:
    input // map: path of the cases (folder or samplesheet), root above all their files
    label_values // table of label values, or []
    models // list of names: presets of `scarnet train`, medsam_zero_shot, nnunet
    folds // map: number, and the list of those that are held out in turn
    runs // directory of finished runs, MODEL/fold_K, or null
    train_options // text: epochs and the like, the same for all models
    store // directory where trainings outlive their tasks
    kept // list of models to train on all cases as well

    main:
    pathOf(store).mkdirs() // containers mount it
    FOLDS(input, label_values, folds.number)
    FOLDS.out.problem.subscribe { message -> error(message.text.trim()) }
    dealt = FOLDS.out.folds
    number = "--folds ${folds.number}"

    // Every network's crops come from a localiser that has not seen the case either.
    networks = models - ['medsam_zero_shot', 'nnunet']
    wanted = [networks + (networks ? ['localiser'] : []) + models.intersect(['nnunet']), folds.chosen].combinations()
    finished = finishedRuns(runs, wanted)
    missing = wanted - finished.collect { model, fold, _run -> [model, fold] }

    TRAININGS(
        missing.findAll { model, _fold -> model != 'nnunet' } + [kept, ['all']].combinations(),
        finishedRuns(runs, [['unet'], folds.chosen].combinations()),
        input,
        dealt,
        label_values,
        "${number} ${train_options}",
        store,
    )
    NNUNET(
        channel.fromList(missing.findAll { model, _fold -> model == 'nnunet' }.collect { _model, fold -> fold }),
        input,
        dealt,
        label_values,
        "${number} ${train_options}",
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
    ch_prompted = channel.fromList([models.intersect(['medsam_zero_shot']), folds.chosen].combinations()).map { model, fold -> tuple(model, fold, [], []) }
    EVALUATE(ch_networks.mix(ch_runs.labels, ch_prompted), input, dealt, label_values, number)

    // sorted, so that the same evaluations make the same task whatever finished first
    ch_evaluations = EVALUATE.out.evaluation
        .toSortedList { a, b -> a[0] <=> b[0] ?: a[1] <=> b[1] }
        .map { all -> all.collect { entry -> entry[2] } }
    ch_timed = ch_networks
        .filter { _model, fold, _run, _localiser -> fold == folds.chosen.first() }
        .toSortedList { a, b -> a[0] <=> b[0] }
    COMPARE(
        ch_evaluations,
        ch_timed.map { runs_of_fold -> runs_of_fold.collect { entry -> entry[0] } },
        ch_timed.map { runs_of_fold -> runs_of_fold.collect { entry -> entry[2] } },
        input,
        label_values,
        'medsam_zero_shot' in models ? '--weights medsam_zero_shot lite_medsam' : '',
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
