// From a directory of DICOM (or a server: FETCH) to the cohort's tables: CHECK -> INDEX -> CONVERT -> CROP -> SEGMENT -> QUANTIFY -> GATHER -> REPORT.
// Studies travel in batches; every channel between stages carries tuple(batch id, directory of the stage).

include { CHECK } from '../modules/check'
include { MAKE_PHANTOMS } from '../modules/make_phantoms'
include { INDEX } from '../modules/index'
include { FETCH } from '../modules/fetch'
include { CONVERT } from '../modules/convert'
include { CROP } from '../modules/crop'
include { SEGMENT } from '../modules/segment'
include { SEGMENT_COMMAND } from '../modules/segment_command'
include { COLLECT } from '../modules/collect'
include { QUANTIFY } from '../modules/quantify'
include { EXPORT } from '../modules/export'
include { STORE } from '../modules/store'
include { GATHER } from '../modules/gather'
include { REPORT } from '../modules/report'
include { setAside } from './earlier'
include { labelMapsOf ; placeOf } from './outputs'
include { batchSettings ; generationOf ; tidyBatch } from './tidy'

workflow COHORT {
    take:
    source // map of sourceOf: where the studies are
    series_rules // a site's rules of series selection (YAML), or []
    key // file with the key of the pseudonyms, or [] to leave names as they are
    networks // map of networksOf: those that find the heart and label it
    readers // map of readersOf: what readers decided and corrected
    results // map of resultsOf and workOf: what becomes of the results and the work directory

    main:
    CHECK(networks.localiser.take(2), networks.weights.take(2))
    MAKE_PHANTOMS(source.phantoms ? CHECK.out.passed.map { _networks -> source.phantoms } : channel.empty())
    ch_made = MAKE_PHANTOMS.out.dicom.map { dicom -> source + placeOf(dicom) }
    ch_source = source.phantoms ? ch_made : CHECK.out.passed.map { _networks -> source }
    root = source.phantoms ? ch_made.map { made -> made.root } : source.root
    is_remote = source.phantoms ? ch_made.map { made -> made.is_remote } : source.is_remote
    INDEX(ch_source, source.previous, source.failures, source.studies, series_rules, key, readers.corrected)
    CHECK.out.problem.mix(INDEX.out.problem).subscribe { message -> error(message.text.trim()) }
    // The input is accepted: an earlier run's results make way before anything is published.
    ch_accepted = INDEX.out.tables.map { tables ->
        setAside(results)
        tables
    }
    ch_planned = INDEX.out.batches.flatten().combine(ch_accepted.map { _tables -> true }).map { json, _accepted -> tuple(json.baseName, json) }
    FETCH(source.is_server ? ch_planned : channel.empty(), source.downloads)
    ch_batches = source.is_server ? FETCH.out.batch : ch_planned

    ch_label_maps = INDEX.out.label_maps.flatMap { json -> labelMapsOf(json, readers.corrected) }
    ch_settings = ch_label_maps.map { batch, given, maps -> tuple(batch, batchSettings(results.settings, given, maps)) }
    ch_generations = ch_settings.map { batch, settings -> tuple(batch, generationOf(results, batch, settings)) }

    CONVERT(ch_batches.join(ch_generations), root, is_remote, key)
    CROP(networks.command ? channel.empty() : CONVERT.out.batch, networks.localiser[0, 2])
    SEGMENT(CROP.out.batch, networks.weights[0, 2])
    SEGMENT_COMMAND(networks.command ? CONVERT.out.batch : channel.empty(), networks.command, networks.files)
    COLLECT(CONVERT.out.batch.join(SEGMENT_COMMAND.out.labels), networks.command, networks.label_values)
    ch_segmented = SEGMENT.out.batch.mix(COLLECT.out.batch)
    // A batch that one stage lost is missing in the next: GATHER counts.
    QUANTIFY(CONVERT.out.batch.join(ch_segmented).join(ch_label_maps), readers.label_values)
    EXPORT(results.as_dicom ? ch_batches.join(QUANTIFY.out.batch) : channel.empty(), root, is_remote, key)

    // Tables alone, without the volumes. Sorted by batch, so that the same fragments make the same task whatever finished first.
    ch_fragments = CONVERT.out.tables
        .mix(FETCH.out.tables, CROP.out.tables, SEGMENT.out.tables, COLLECT.out.tables, QUANTIFY.out.tables, EXPORT.out.tables)
        .toSortedList { a, b -> a[0] <=> b[0] ?: a[1].name <=> b[1].name }
        .map { pairs -> pairs.collect { pair -> pair[1] } }
    GATHER(ch_accepted, ch_fragments, readers.reviewed)

    ch_pages = QUANTIFY.out.batch
        .toSortedList { a, b -> a[0] <=> b[0] }
        .map { pairs -> pairs.collect { pair -> pair[1] } }
    REPORT(GATHER.out.tables, GATHER.out.versions, ch_pages)
    STORE(results.store_to ? EXPORT.out.batch : channel.empty(), results.store_to, REPORT.out.report.map { _report -> true })

    if (results.is_tidied) {
        ch_stages = CONVERT.out.batch.join(networks.command ? SEGMENT_COMMAND.out.labels : CROP.out.batch).join(ch_segmented)
        ch_settings.join(ch_generations).join(ch_stages).combine(REPORT.out.report.map { _report -> true })
            .subscribe { batch, settings, generation, convert, crop, segment, _report -> tidyBatch(results, batch, settings, generation, convert, crop, segment) }
    }

    summary = GATHER.out.summary
    report = REPORT.out.report

    emit:
    summary // text: how many studies, measured and failed
    report
}
