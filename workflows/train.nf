// What --workflow train adds to the benchmark of one model: the localiser and the model trained on all cases, and the
// model's thresholds, which its folds chose.

include { DECIDE } from '../modules/decide'
include { TRAININGS } from './trainings'

workflow TRAINING {
    take:
    input // map: path of the cases (folder or samplesheet), root above all their files
    label_values // table of label values, or []
    model // name of a preset
    folds // map: number, and the list of those that were held out in turn
    dealt // table of FOLDS
    options // text: further options of `scarnet train`
    store // directory where trainings outlive their tasks
    benchmark // directory of COMPARE

    main:
    // One fold alone is a trial: nothing is trained to be kept.
    kept = folds.chosen.size() == folds.number ? [['localiser', model], ['all']].combinations() : []
    TRAININGS(kept, [], input, dealt, label_values, options, store)

    DECIDE(TRAININGS.out.trained.map { name, _fold, run -> tuple(name, run) }, benchmark.first())

    weights = DECIDE.out.weights

    emit:
    weights // MODEL.safetensors, to segment with
}
