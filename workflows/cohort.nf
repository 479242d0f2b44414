// From a directory of DICOM (or a server: FETCH) to the cohort's tables: CHECK -> INDEX -> CONVERT -> CROP -> SEGMENT -> QUANTIFY -> GATHER -> REPORT.
// Studies travel in batches; every channel between stages carries tuple(batch id, directory of the stage).

include { CHECK } from '../modules/check'
include { INDEX } from '../modules/index'
include { FETCH } from '../modules/fetch'
include { CONVERT } from '../modules/convert'
include { CROP } from '../modules/crop'
include { SEGMENT } from '../modules/segment'
include { QUANTIFY } from '../modules/quantify'
include { EXPORT } from '../modules/export'
include { STORE } from '../modules/store'
include { GATHER } from '../modules/gather'
include { REPORT } from '../modules/report'
include { setAside } from './earlier'

workflow COHORT {
    take:
    input // map of placeOf: where the studies are
    previous // index.parquet of the run before, or []
    failures // failures.parquet of the run before, where failed studies are tried again, or []
    series_rules // a site's rules of series selection (YAML), or []
    key // file with the key of the pseudonyms, or [] to leave names as they are
    index_options // text: sizes of batches, and which failed studies are tried again
    localiser // weights of the heart's localiser: tuple(file, its SHA256SUMS or [])
    weights // weights of the segmentation network, likewise
    segment_options // text: --fast or nothing
    reviewed // a reader's decisions (CSV), or []
    gather_options // text: format of the tables
    dicom // map: `asked`, whether results are wanted as DICOM too; `store`, address of the server that they go to, or ''
    output // map: the directory of the results, and the text of their parameters.json

    main:
    CHECK(localiser, weights)
    INDEX(CHECK.out.passed.map { _networks -> input }, previous, failures, input.studies, series_rules, key, index_options)
    CHECK.out.problem.mix(INDEX.out.problem).subscribe { message -> error(message.text.trim()) }
    // The input is accepted: an earlier run's results make way before anything is published.
    ch_accepted = INDEX.out.tables.map { tables ->
        setAside(output)
        tables
    }
    ch_planned = INDEX.out.batches.flatten().combine(ch_accepted.map { _tables -> true }).map { json, _accepted -> tuple(json.baseName, json) }
    FETCH(input.server ? ch_planned : channel.empty(), input.downloads)
    ch_batches = input.server ? FETCH.out.batch : ch_planned

    CONVERT(ch_batches, input.root)
    CROP(CONVERT.out.batch, localiser)
    SEGMENT(CROP.out.batch, weights, segment_options)
    // A batch that one stage lost is missing in the next: GATHER counts.
    QUANTIFY(CONVERT.out.batch.join(SEGMENT.out.batch))
    ch_measured = SEGMENT.out.batch.join(QUANTIFY.out.batch)
    EXPORT(dicom.asked ? ch_batches.join(ch_measured) : channel.empty(), input.root, key)

    // sorted by batch, so that the same fragments make the same task whatever finished first
    ch_fragments = CONVERT.out.batch
        .mix(FETCH.out.failures, CROP.out.batch, SEGMENT.out.batch, QUANTIFY.out.batch, EXPORT.out.batch)
        .toSortedList { a, b -> a[0] <=> b[0] ?: a[1].name <=> b[1].name }
        .map { pairs -> pairs.collect { pair -> pair[1] } }
    GATHER(ch_accepted, ch_fragments, reviewed, gather_options)

    ch_pages = QUANTIFY.out.batch
        .toSortedList { a, b -> a[0] <=> b[0] }
        .map { pairs -> pairs.collect { pair -> pair[1] } }
    REPORT(GATHER.out.tables, ch_pages)
    STORE(dicom.store ? EXPORT.out.batch : channel.empty(), dicom.store, REPORT.out.report.map { _report -> true })

    summary = GATHER.out.summary
    report = REPORT.out.report

    emit:
    summary // text: how many studies, measured and failed
    report
}
