#!/bin/sh
# A Slurm of one machine, for tests: `tools/slurm.sh start FOLDER`, then `export SLURM_CONF=FOLDER/slurm.conf`, and
# `tools/slurm.sh stop FOLDER`. Installs Debian's packages where they are missing; needs root.
set -eu
verb=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)

end() {
    if [ -s "$1" ]; then kill "$(cat "$1")" 2>/dev/null || true; fi
}

case $verb in
start)
    command -v slurmctld >/dev/null || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge
    } >"$folder/install.log" 2>&1 || { tail -3 "$folder/install.log" >&2; exit 1; }
    host=$(hostname -s)
    # munged insists on folders that nobody else may write to
    chmod 755 "$folder"
    mkdir -p "$folder/munge" "$folder/state" "$folder/spool"
    (umask 077; head -c 128 /dev/urandom >"$folder/munge/key")
    munged --force --socket="$folder/munge/socket" --key-file="$folder/munge/key" --seed-file="$folder/munge/seed" \
        --log-file="$folder/munge/log" --pid-file="$folder/munge/pid"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=unroll
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmctldPort=26817
SlurmdPort=26818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF="$folder/slurm.conf"
    slurmctld
    slurmd
    for _ in $(seq 100); do
        if sinfo -h -o %t 2>/dev/null | grep -q idle; then exit 0; fi
        sleep 0.2
    done
    tail -3 "$folder/slurmctld.log" "$folder/slurmd.log" >&2
    exit 1
    ;;
stop)
    end "$folder/slurmd.pid"
    end "$folder/slurmctld.pid"
    end "$folder/munge/pid"
    ;;
*)
    echo "tools/slurm.sh: start FOLDER or stop FOLDER" >&2
    exit 2
    ;;
esac
