// One run at a time writes into an output directory: OUT/pipeline_info/claim.json says which. It is written again every half
// minute, so that its age, by the file system's own clock, tells other machines whether that run still lives; on the same
// machine its process does. When the run ends, last_run.json keeps its session. In object stores nothing is claimed.

/** Claim the output directory for this run; ends it with a message that names the run that holds it. */
def claimOutput(outdir, run) {
    def folder = file("${outdir}/pipeline_info", glob: false)
    if (folder.scheme != 'file') {
        return [:]
    }
    folder.mkdirs()
    def claim = [path: folder.resolve('claim.json'), text: describeRun(run)]
    def last = lastSession(outdir)
    if (!createClaim(claim)) {
        takeOver(claim, outdir)
    }
    publishOwn('trace')
    def isMeant = !last || last == run.sessionId.toString() || run.commandLine.contains(run.sessionId.toString())
    if (run.resume && !isMeant && run.launchDir.resolve(".nextflow/cache/${last}").exists()) {
        log.warn("This run goes on with session ${run.sessionId}, but '${outdir}' was written by session ${last}: to go on with that one, use -resume ${last}")
    }
    keepAlive(claim)
    return claim
}

/** End a run that may not begin. */
def refuse(text) {
    dropOwn()
    error(text)
}

/** Leave none of Nextflow's own files of this run in the output directory; it writes the timeline at the very end. */
def dropOwn() {
    Runtime.runtime.addShutdownHook(new Thread({ ['trace', 'timeline'].each { name -> ownFile(name)?.delete() } } as Runnable))
}

/** Give Nextflow's trace or timeline of this run its name for good. */
def publishOwn(name) {
    def own = ownFile(name)
    if (own) {
        java.nio.file.Files.move(own, own.resolveSibling(own.name.drop(38)), java.nio.file.StandardCopyOption.REPLACE_EXISTING)
    }
}

/** Nextflow's trace or timeline of this run, while it has the name of its own that nextflow.config gives it; else null. */
def ownFile(name) {
    def path = file(nextflow.Global.session.config[name].file, glob: false)
    return path.name ==~ /\.[0-9a-f-]{36}\.(trace\.txt|timeline\.html)/ && path.exists() ? path : null
}

/** The session that wrote into the output directory last, if that is known. */
def lastSession(outdir) {
    def known = ['claim.json', 'last_run.json'].collect { name -> file("${outdir}/pipeline_info/${name}", glob: false) }.find { path -> path.exists() }
    return known ? parseClaim(known.text).session : null
}

/** Give the output directory back, unless another run has taken it over, or it cannot be written any more. */
def releaseClaim(claim) {
    try {
        if (claim.path?.exists() && claim.path.text == claim.text) {
            publishOwn('timeline')
            def known = parseClaim(claim.text).subMap(['session', 'started']) // the machine is nobody's business any more
            claim.path.resolveSibling('last_run.json').text = prettyJson(known)
            claim.path.delete()
        }
    }
    catch (IOException failure) {
        log.debug("the claim cannot be given back: ${failure.class.simpleName}")
    }
}

def describeRun(run) {
    def pid = ProcessHandle.current().pid()
    def who = [host: InetAddress.localHost.hostName, process: pid, session: run.sessionId.toString(), started: run.start.withNano(0).toString(), machine: machineKey(), ticks: startTime(pid)]
    return prettyJson(who)
}

def prettyJson(map) {
    return groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(map)) + '\n'
}

/** Process numbers mean the same where these are equal: the start of the machine, and its container's numbering. */
def machineKey() {
    def boot = file('/proc/sys/kernel/random/boot_id')
    return boot.exists() ? "${boot.text.trim()} ${java.nio.file.Files.readSymbolicLink(file('/proc/self/ns/pid'))}" : InetAddress.localHost.hostName
}

/** When a process started, as text to compare, which no change of the clock alters; null if there is none. */
def startTime(pid) {
    def stat = file("/proc/${pid}/stat")
    if (stat.exists()) {
        def fields = stat.text.tokenize(')').last().tokenize(' ')
        return fields[0] in ['Z', 'X'] ? null : fields[19]
    }
    return ProcessHandle.of(pid).map { process -> process.info().startInstant().orElse(null)?.toString() }.orElse(null)
}

/** Write the claim, if there is none. */
def createClaim(claim) {
    try {
        java.nio.file.Files.write(claim.path, claim.text.bytes, java.nio.file.StandardOpenOption.CREATE_NEW)
        return true
    }
    catch (java.nio.file.FileAlreadyExistsException _there) {
        return false
    }
}

def takeOver(claim, outdir) {
    def text = claim.path.text
    def other = parseClaim(text)
    def named = "${other.host ?: 'an unknown machine'}, process ${other.process}, session ${other.session}, started ${other.started}"
    def age = ageInSeconds(claim.path)
    def here = other.machine == machineKey()
    if (here ? startTime(other.process) == other.ticks : age < 300) {
        def doubt = here ? '' : " It gave a sign of life ${age} s ago; if you know that it has ended, delete ${claim.path}."
        refuse("Another run writes into --outdir '${outdir}': on ${named}. Let it end, stop it, or name another directory.${doubt}")
    }
    def aside = claim.path.resolveSibling(".claim-${UUID.randomUUID()}")
    try {
        java.nio.file.Files.move(claim.path, aside, java.nio.file.StandardCopyOption.ATOMIC_MOVE)
    }
    catch (java.nio.file.NoSuchFileException _gone) {
        log.debug("the claim is gone")
    }
    def isOthers = aside.exists() && aside.text != text
    if (isOthers) {
        java.nio.file.Files.move(aside, claim.path)
    }
    if (isOthers || !createClaim(claim)) {
        refuse("Another run has this moment begun to write into --outdir '${outdir}'. Let it end, stop it, or name another directory.")
    }
    java.nio.file.Files.deleteIfExists(aside)
    log.warn("Taken over: '${outdir}', from a run that ended without giving it back (on ${named})")
}

/** How old a file is, by the clock of its file system. */
def ageInSeconds(path) {
    def now = java.nio.file.Files.createTempFile(path.parent, '.clock-', '')
    def age = java.nio.file.Files.getLastModifiedTime(now).toMillis() - java.nio.file.Files.getLastModifiedTime(path).toMillis()
    java.nio.file.Files.delete(now)
    return age.intdiv(1000)
}

/** What a claim says; empty for one that was cut off. */
def parseClaim(text) {
    try {
        return new groovy.json.JsonSlurper().parseText(text)
    }
    catch (groovy.json.JsonException _cut) {
        return [:]
    }
}

/** Write the claim again and again: same bytes, later time. A run that has lost its claim ends. */
def keepAlive(claim) {
    def beat = {
        try {
            if (claim.path.text == claim.text) {
                java.nio.file.Files.write(claim.path, claim.text.bytes, java.nio.file.StandardOpenOption.WRITE)
            }
            else {
                nextflow.Global.session.abort(new IllegalStateException("another run has taken over the output directory; ${claim.path} says which"))
            }
        }
        catch (IOException away) {
            log.debug("the claim cannot be written now: ${away.class.simpleName}")
        }
    }
    new Timer(true).schedule(beat as TimerTask, 30000L, 30000L)
}
