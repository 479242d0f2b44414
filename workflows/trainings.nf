// Trainings in their order: ScarNet starts from the U-Net that has seen the same cases, all others start at once.

include { TRAIN ; TRAIN as TRAIN_FROM_UNET } from '../modules/train'

workflow TRAININGS {
    take:
    wanted // list of (model, fold): names of presets; number of the fold to hold out, or 'all'
    unets // list of ('unet', fold, run) that ScarNet may start from
    source // map of inputOf: the cases
    dealt // of FOLDS
    label_values // table of label values, or []
    trainings // directory where trainings outlive their tasks

    main:
    from_unet = wanted.findAll { model, _fold -> model == 'scarnet' }
    at_once = wanted - from_unet
    needed = from_unet.collect { _model, fold -> ['unet', fold] } - at_once - unets.collect { model, fold, _run -> [model, fold] }
    TRAIN(channel.fromList((at_once + needed).collect { model, fold -> tuple(model, fold, []) }), source, dealt, label_values, trainings)

    ch_unets = TRAIN.out.trained.mix(channel.fromList(unets)).filter { model, _fold, _run -> model == 'unet' }
    ch_starts = channel.fromList(from_unet.collect { model, fold -> tuple(fold, model) })
        .combine(ch_unets.map { _model, fold, run -> tuple(fold, run) }, by: 0)
        .map { fold, model, run -> tuple(model, fold, run) }
    TRAIN_FROM_UNET(ch_starts, source, dealt, label_values, trainings)

    trained = TRAIN.out.trained.filter { model, fold, _run -> [model, fold] in at_once }.mix(TRAIN_FROM_UNET.out.trained)

    emit:
    trained // (model, fold, run) of what was wanted
}
