// From a directory of DICOM to the cohort's tables: INDEX -> CONVERT -> CROP -> SEGMENT -> QUANTIFY -> GATHER -> REPORT.
// Studies travel in batches; every channel between stages carries tuple(batch id, directory of the stage).

include { INDEX } from '../modules/index'
include { CONVERT } from '../modules/convert'
include { CROP } from '../modules/crop'
include { SEGMENT } from '../modules/segment'
include { QUANTIFY } from '../modules/quantify'
include { GATHER } from '../modules/gather'
include { REPORT } from '../modules/report'

workflow COHORT {
    take:
    input // map: path of the directory or samplesheet, root above all its files, parts of an unfinished index
    previous // index.parquet of the run before, or []
    index_options // text: sizes of batches
    localiser // weights of the heart's localiser: tuple(file, its SHA256SUMS or [])
    weights // weights of the segmentation network, likewise
    segment_options // text: --fast or nothing
    reviewed // a reader's decisions (CSV), or []
    gather_options // text: format of the tables

    main:
    INDEX(input, previous, index_options)
    INDEX.out.problem.subscribe { message -> error(message.text.trim()) }
    ch_batches = INDEX.out.batches.flatten().map { json -> tuple(json.baseName, json) }

    CONVERT(ch_batches, input.root)
    CROP(CONVERT.out.batch, localiser)
    SEGMENT(CROP.out.batch, weights, segment_options)
    QUANTIFY(CONVERT.out.batch.join(SEGMENT.out.batch, failOnMismatch: true))

    // sorted by batch, so that the same fragments make the same task whatever finished first
    ch_fragments = CONVERT.out.batch
        .mix(CROP.out.batch, SEGMENT.out.batch, QUANTIFY.out.batch)
        .toSortedList { a, b -> a[0] <=> b[0] ?: a[1].name <=> b[1].name }
        .map { pairs -> pairs.collect { pair -> pair[1] } }
    GATHER(INDEX.out.tables, ch_fragments, reviewed, gather_options)

    ch_measured = QUANTIFY.out.batch
        .toSortedList { a, b -> a[0] <=> b[0] }
        .map { pairs -> pairs.collect { pair -> pair[1] } }
    REPORT(GATHER.out.tables, ch_measured)

    summary = GATHER.out.summary
    report = REPORT.out.report

    emit:
    summary // text: how many studies, measured and failed
    report
}
