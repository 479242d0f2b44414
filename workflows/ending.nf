// How a run ends: with what happened, what is finished, and the command that goes on with it, as the last lines on the screen.

include { deleteReplacedResults } from './earlier'
include { pathOf } from './paths'
include { releaseClaim } from './claim'

/** Give the output back and say how the run ended, when Nextflow has written and said everything else. */
def announceEnd(run, outdir, claim) {
    def last = {
        releaseClaim(claim)
        def message = closingMessage(run, outdir)
        if (message) {
            System.out.println("\n${message}")
            System.out.flush()
        }
    }
    Runtime.runtime.addShutdownHook(new Thread(last as Runnable))
}

/** When all is published: a cohort in which nothing was measured has failed; any other needs the earlier results no more. */
def judgeAtEnd(run, outdir) {
    run.onComplete { judgeCohort(run, outdir) }
}

def judgeCohort(run, outdir) {
    if (run.success && countMeasured(outdir) == 0) {
        def session = nextflow.Global.session
        session.cancelled = true // the one way to another exit code once all is published
    }
    else if (run.success) {
        announceLeft(deleteReplacedResults(outdir), outdir)
    }
}

def announceLeft(left, outdir) {
    def names = left.studies.take(5).join(', ') + (left.studies.size() > 5 ? ', ...' : '')
    if (left.studies) {
        log.info("Studies of an earlier run that this one did not measure: ${left.studies.size()} (${names}). They are in ${outdir}/earlier_run.")
    }
    if (left.compared) {
        log.info("What changed since the run before: scarnet diff ${outdir}/pipeline_info/earlier_tables ${outdir}")
    }
    if (left.files) {
        log.info("Other files of an earlier run that this one has not: ${left.files}. They are in ${outdir}/earlier_run.")
    }
}

def countMeasured(outdir) {
    def studies = pathOf("${outdir}/studies")
    return studies.isDirectory() ? studies.list().count { name -> studies.resolve("${name}/study.json").exists() } : 0
}

/** Nothing after a success. */
def closingMessage(run, outdir) {
    def session = nextflow.Global.session
    if (session.success) {
        return null
    }
    return [
        describeCause(session, outdir),
        describeProgress(run, outdir),
        "To go on with it, ${isInterrupted(session) ? "" : "once that is put right, "}from ${run.launchDir}:\n  ${commandToResume(run)}",
    ].findAll { text -> text }.join('\n')
}

def isInterrupted(session) {
    return session.error instanceof nextflow.exception.AbortSignalException
}

def describeCause(session, outdir) {
    def task = session.fault?.task
    if (isInterrupted(session)) {
        return "Interrupted (${session.error.message})."
    }
    if (task) {
        def said = (task.dumpStderr() ?: []).findAll { line -> line.startsWith('Error: ') }
        def why = task.workDir.exists() ? (said ? said.last() : '') : "What it wrote in the work directory is gone: bring ${session.workDir} back, or run without -resume."
        def code = task.exitStatus == Integer.MAX_VALUE ? 'without an exit code' : "with exit code ${task.exitStatus}"
        return "The run stopped: ${task.name.tokenize(':').last()} failed ${code}. ${why}".trim()
    }
    if (session.error instanceof nextflow.exception.WorkflowScriptErrorException) {
        return 'The run stopped for the reason above.'
    }
    if (session.error || session.fault) {
        def error = session.error ?: session.fault.error
        return "The run stopped: ${error instanceof IOException ? "${error.class.simpleName}: " : ''}${error.message}"
    }
    return "No study could be measured: ${outdir}/tables/failures.parquet says why, for each; ${outdir}/report/index.html shows it."
}

def describeProgress(run, outdir) {
    def stages = (run.stats?.processes ?: [])
        .findAll { stage -> stage.succeeded + stage.cached }
        .collect { stage -> "${stage.name.tokenize(':').last()} ${stage.succeeded + stage.cached} of ${stage.totalCount}" }
    def studies = stages.any { stage -> stage.startsWith('CONVERT') } ? "; studies measured: ${countMeasured(outdir)}" : '' // else an earlier run's
    return stages ? "Finished so far: ${stages.join(', ')} tasks${studies}." : ''
}

/** The user's own command, with the session's id: -resume alone goes on with whatever ran last in that folder. */
def commandToResume(run) {
    def command = run.commandLine.replaceAll(/ -resume( (last|[0-9a-f]{8}-[0-9a-f-]{27}|[a-z]+_[a-z]+))?(?= |$)/, '').replaceAll(/ -name \S+/, '')
    def typed = System.getenv('NXF_CLI') ?: ''
    def end = typed.indexOf(' ' + command.tokenize(' ')[1])
    return "${end > 0 ? typed.take(end) : 'nextflow'}${command.substring(command.indexOf(' '))} -resume ${run.sessionId}"
}
