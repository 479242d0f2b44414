// Volumes, mass, scar percent and the rest, for each study, slice and segment; of the network's label map, or of those from elsewhere.
include { tablesApart } from '../workflows/paths'

process QUANTIFY {
    tag "${batch}"
    label 'process_medium'
    label 'published'

    input:
    tuple val(batch), path(convert), path(segment), val(given), path(label_maps, stageAs: 'label_maps/?/*') // given: [study, source] of each
    path label_values, stageAs: 'label_values.csv' // what the values of those mean, or []

    output:
    tuple val(batch), path('quantify'), emit: batch // no volume but the small label maps
    tuple val(batch), path('tables/quantify'), emit: tables
    path 'published/studies/*/{labels.nii.gz,network_labels.nii.gz,overlay.png,plain.webp,study.json}', emit: files, optional: true

    script:
    def files = label_maps instanceof List ? label_maps : [label_maps]
    def chosen = [given, files].transpose().collect { what, path -> "--label-map ${what[0]} ${what[1]} ${path}" }.join(' ')
    """
    export OMP_NUM_THREADS=1
    scarnet quantify ${convert} ${segment} --out quantify ${chosen} ${label_values ? '--label-values label_values.csv' : ''} \\
        --isolate --jobs ${task.cpus} ${task.ext.retry}
    ln -sfn quantify published
    ${tablesApart('quantify')}
    """

    stub:
    """
    mkdir -p quantify/studies/of-${batch}
    touch quantify/{scans,slices,segments,readers,failures}.parquet quantify/studies/of-${batch}/{labels.nii.gz,network_labels.nii.gz,overlay.png,plain.webp,study.json}
    ln -sfn quantify published
    ${tablesApart('quantify')}
    """
}
