// Aligns each pair of cases.csv (columns case,fixed,moving; paths relative to the table).
// The files of a slide of several (.mrxs) must be given as one, such as an OME-TIFF.
//   nextflow run main.nf --cases cases.csv --outdir results
nextflow.enable.dsl = 2

params.cases = 'cases.csv'
params.outdir = 'results'
params.method = 'auto'

process HISTREG_REGISTER {
    tag "$case_name"
    label 'process_medium'
    publishDir params.outdir, mode: 'copy'
    // 3 says that the pair was refused: a result, not a failure. What was killed may pass with more memory.
    errorStrategy { task.exitStatus in [137, 139, 143] && task.attempt < 3 ? 'retry' : 'ignore' }
    memory { 8.GB * task.attempt }
    cpus 1

    input:
    tuple val(case_name), path(fixed, stageAs: 'fixed/*'), path(moving, stageAs: 'moving/*')

    output:
    tuple val(case_name), path("${case_name}/registration.json"), emit: registration
    path "${case_name}/*", emit: files
    path 'versions.yml', emit: versions

    script:
    """
    export HOME=\$PWD HISTREG_THREADS=${task.cpus}
    histreg register '${fixed}' '${moving}' --method ${params.method} -o '${case_name}' || [ \$? -eq 3 ]
    printf '"%s":\\n    histreg: %s\\n' '${task.process}' "\$(histreg --version | sed 's/.* //')" > versions.yml
    """

    stub:
    """
    mkdir '${case_name}'
    touch '${case_name}/registration.json' '${case_name}/overlay.png'
    printf '"%s":\\n    histreg: stub\\n' '${task.process}' > versions.yml
    """
}

workflow {
    table = file(params.cases, checkIfExists: true)
    pairs = Channel
        .fromPath(table)
        .splitCsv(header: true)
        .map { row -> tuple(row.case, table.parent.resolve(row.fixed), table.parent.resolve(row.moving)) }
    HISTREG_REGISTER(pairs)
}
