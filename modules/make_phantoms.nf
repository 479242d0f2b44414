// A small cohort with known answers, its last study broken on purpose: for a first run, where no input is at hand. The work
// directory keeps it. All files get one time, so that the index knows them again wherever they were made.
process MAKE_PHANTOMS {
    tag "${studies} studies"

    input:
    val studies

    output:
    path 'dicom', emit: dicom
    path 'truth.{csv,parquet}', emit: truth

    script:
    """
    scarnet phantom --studies ${studies} --broken 1 --out .
    find dicom -type f -exec touch -d @946684800 {} +
    """

    stub:
    """
    mkdir dicom
    touch truth.csv truth.parquet
    """
}
