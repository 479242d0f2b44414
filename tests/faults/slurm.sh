#!/bin/bash
# Slurm of one node without systemd, as root, for tests (Debian: slurm-wlm, munge). All that it writes is below FOLDER.
#   slurm.sh FOLDER start            what does not run yet is started; the settings are in FOLDER/slurm.conf (SLURM_CONF)
#   slurm.sh FOLDER stop [DAEMON…]   slurmd slurmctld munged, or those named
# CPUS: how many the node claims to have (default: the machine's). Jobs over their memory are killed, a silent node is lost
# after 15 s.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
folder=$1 what=$2
host=$(hostname -s)

runs() { # a number counts only while it is still that program's; one that nobody waits for stays as a zombie
    [[ -s $folder/$1.pid && $(cut -d ' ' -f 2,3 "/proc/$(cat "$folder/$1.pid" 2>/dev/null)/stat" 2>/dev/null) = "($1) "[^Z] ]]
}

stop() {
    local daemon
    for daemon; do
        runs "$daemon" || continue
        kill "$(cat "$folder/$daemon.pid")"
        for _ in $(seq 50); do runs "$daemon" || break; sleep .2; done
    done
}

if [[ $what = stop ]]; then
    shift 2
    if (($#)); then stop "$@"; else stop slurmd slurmctld munged; fi
    exit 0
fi

mkdir -p "$folder"/{state,spool,munge,socket}
chmod 755 "$folder" "$folder/socket"
chmod 700 "$folder/munge"
[[ -s $folder/munge/munge.key ]] || mungekey --create --keyfile="$folder/munge/munge.key"
if ! runs munged; then
    rm -f "$folder"/socket/munge.sock*
    munged --force --key-file="$folder/munge/munge.key" --socket="$folder/socket/munge.sock" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munge/munge.seed"
fi

cat >"$folder/slurm.conf" <<C
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/socket/munge.sock
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
PropagateResourceLimits=NONE
EnforcePartLimits=ALL
ReturnToService=2
SlurmdTimeout=15
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
KillWait=5
DefMemPerCPU=512
NodeName=$host NodeAddr=127.0.0.1 CPUs=${CPUS:-$(nproc)} RealMemory=$(awk '/MemTotal/{print int($2 / 1024 * 0.9)}' /proc/meminfo) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
C
export SLURM_CONF=$folder/slurm.conf
runs slurmctld || slurmctld -f "$SLURM_CONF"
runs slurmd || { sleep 1; slurmd -f "$SLURM_CONF"; }
for _ in $(seq 60); do
    case $(sinfo -h -o %T 2>/dev/null || true) in
    idle | mixed | allocated) exit 0 ;;
    esac
    sleep .5
done
echo "the node does not come up: $(sinfo -h -o %T 2>&1 || true); $folder/slurm*.log" >&2
exit 1
