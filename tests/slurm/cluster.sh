#!/usr/bin/env bash
# A SLURM of one node with two pretend V100s, for tests and for trying the profile.
#
#   tests/slurm/cluster.sh start FOLDER   # then, in the shells that use it: . FOLDER/environment
#   tests/slurm/cluster.sh stop FOLDER
#
# Needs Debian's slurm-wlm and munge, and root (slurmd starts jobs as their users). All it writes is
# in FOLDER, which it makes; nothing under /etc is read or changed. No systemd, no accounting.
# KILL_WAIT: seconds from SIGTERM to SIGKILL when a job is ended (30, as SLURM's default).
set -euo pipefail

fail() {
    echo "cluster.sh: $*" >&2
    exit 1
}

# Start a program in a session of its own; `stop` finds its process id.
daemon() {
    local name=$1
    setsid "$@" >"$folder/$name.out" 2>&1 </dev/null &
    echo $! >"$folder/$name.pid"
}

# Wait until a command succeeds, at most 30 s.
wait_until() {
    local what=$1
    shift
    for _ in $(seq 150); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    tail --lines=20 "$folder"/*.out >&2
    fail "still not after 30 s: $what; the logs are above and in $folder"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

idle() {
    [ "$(sinfo --noheader --format=%T | sort --unique)" = idle ]
}

ended() {
    ! kill -0 "$1"
}

no_job() {
    [ -z "$(squeue --noheader)" ]
}

start() {
    for program in munged slurmctld slurmd; do
        command -v $program >/dev/null || fail "no $program: apt-get install slurm-wlm munge"
    done
    [ "$(id --user)" = 0 ] || fail "needs root"
    mkdir "$folder" || fail "the folder must not exist yet"
    trap 'stop' ERR EXIT
    chmod 755 "$folder"
    mkdir "$folder/state" "$folder/spool" "$folder/bin"
    (umask 077 && head --bytes=1024 /dev/urandom >"$folder/munge.key")

    local tracking=linuxproc
    touch "$folder/cgroup.conf"
    if [ -w /sys/fs/cgroup/freezer ]; then
        # As on most clusters: there, SLURM signals the first process of a job step alone, while
        # linuxproc signals all.
        tracking=cgroup
        printf 'CgroupPlugin=cgroup/v1\nCgroupMountpoint=/sys/fs/cgroup\n' >"$folder/cgroup.conf"
    fi
    # With config_overrides SLURM believes the cores and memory given: the profile asks for more than
    # a small machine has, and nothing enforces it here.
    cat >"$folder/slurm.conf" <<END
ClusterName=pretend
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthInfo=socket=$folder/munge.socket
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.own.pid
SlurmdPidFile=$folder/slurmd.own.pid
ProctrackType=proctrack/$tracking
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
KillWait=${KILL_WAIT:-30}
MinJobAge=3600
GresTypes=gpu
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/jobs.txt
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$node NodeHostname=$(hostname) NodeAddr=127.0.0.1 CPUs=$(($(nproc) > 4 ? $(nproc) : 4)) RealMemory=100000 Gres=gpu:v100:2
PartitionName=cpu Nodes=$node Default=YES
PartitionName=gpu Nodes=$node GraceTime=60
PartitionName=urgent Nodes=$node PriorityTier=10
END
    # The device files have to be there; nothing uses them.
    cat >"$folder/gres.conf" <<END
AutoDetect=off
NodeName=$node Name=gpu Type=v100 File=/dev/null
NodeName=$node Name=gpu Type=v100 File=/dev/zero
END
    # The executor plugin takes SLURM_CONF away from the srun inside its jobs; this one has it.
    printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$SLURM_CONF" "$(command -v srun)" \
        >"$folder/bin/srun"
    chmod +x "$folder/bin/srun"
    printf 'export SLURM_CONF=%q PATH=%q:"$PATH"\n' "$SLURM_CONF" "$folder/bin" \
        >"$folder/environment"

    # --force: where only root can open the folder, as with pytest's, root's jobs can still run.
    daemon munged --force --foreground --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.own.pid" --log-file="$folder/munged.log" \
        --seed-file="$folder/munged.seed"
    wait_until "munged answers" munge --no-input --socket="$folder/munge.socket"
    daemon slurmctld -D
    wait_until "slurmctld answers" scontrol ping
    daemon slurmd -D -N "$node"
    wait_until "the node is idle" idle
    trap - ERR EXIT
    echo "SLURM runs (processes tracked by $tracking); now: . $folder/environment"
}

stop() {
    trap - ERR EXIT
    [ -d "$folder" ] || fail "no folder $folder"
    if [ -f "$folder/slurmd.pid" ] && scontrol ping >/dev/null; then
        scancel --quiet --state=PENDING
        scancel --quiet --full --signal=KILL --state=RUNNING
        wait_until "all jobs have ended" no_job
    fi
    for name in slurmd slurmctld munged; do
        [ -f "$folder/$name.pid" ] || continue
        local pid
        pid=$(cat "$folder/$name.pid")
        # Its number may be another process's by now.
        if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = $name ]; then
            kill "$pid"
            wait_until "$name has ended" ended "$pid"
        fi
        rm "$folder/$name.pid"
    done
    if [ -d "/sys/fs/cgroup/freezer/slurm_$node" ]; then
        find "/sys/fs/cgroup/freezer/slurm_$node" -depth -type d -exec rmdir {} +
    fi
}

[ $# = 2 ] && { [ "$1" = start ] || [ "$1" = stop ]; } || fail "usage: cluster.sh start|stop FOLDER"
folder=$(realpath --canonicalize-missing "$2")
# Two clusters on one machine must not share names: processes are tracked by node and job.
node=node-$(printf %s "$folder" | cksum | cut --delimiter=' ' --fields=1)
export SLURM_CONF=$folder/slurm.conf
"$1"
