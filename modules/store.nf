// Exported results to a DICOMweb server, once tables and report are there: a server that fails costs nothing else.
include { quoted } from '../workflows/paths'

process STORE {
    tag "${batch}"
    ext network: true
    maxForks 2

    input:
    tuple val(batch), path(exported)
    val address
    val ready // waited for

    script:
    """
    scarnet store ${exported} ${quoted(address)}
    """

    stub:
    """
    test -e ${exported}/exports.parquet
    """
}
