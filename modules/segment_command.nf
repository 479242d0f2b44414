// Another network in SEGMENT's place: the user's own command labels the images of a batch, in a container of its own. Nothing
// of this pipeline need be in it but bash.
include { quoted } from '../workflows/paths'

process SEGMENT_COMMAND {
    tag "${batch}"
    label 'process_gpu'
    label 'torch'

    input:
    tuple val(batch), path(convert)
    val command // with {images} or {images_0000}, {labels} and perhaps {files}
    path files, stageAs: 'files/*' // what it needs, such as its weights, or []

    output:
    tuple val(batch), path('labels'), emit: labels

    script:
    def folders = [images: 'images', images_0000: 'images_0000', labels: 'labels', files: files]
    def filled = folders.inject(command) { text, name, path -> text.replace("{${name}}", path.toString()) }
    """
    export OMP_NUM_THREADS=${task.cpus}
    mkdir -p images images_0000 labels
    shopt -s nullglob
    for image in ${convert}/studies/*/image.nii.gz; do
        study=\$(basename \$(dirname \$image))
        ln -sfn ../\$image images/\$study.nii.gz
        ln -sfn ../\$image images_0000/\${study}_0000.nii.gz
    done
    printf '%s\\n' ${quoted(filled)} > command.sh
    code=0
    if [ "\$(ls images)" ]; then bash -euo pipefail command.sh 2>&1 | tee command.log || code=\$?; fi
    if [ \$code != 0 ]; then
        echo "Error: The segment command said: \$(tail -n 5 command.log | tr '\\n' ' ')" >&2
        exit \$code
    fi
    """

    stub:
    """
    mkdir labels
    """
}
