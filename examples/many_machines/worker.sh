#!/usr/bin/env bash
# One worker of a search that many machines share. examples/slurm and examples/kubernetes start it; any other scheduler may.
#
#   MODEL, CALIBRATION   the float model and its data, the same files for every worker
#   STORAGE              postgresql://user@host/database of the shared study; the password in PGPASSWORD or PGPASSFILE
#   STUDY                name of the study, the same for every worker (default: search)
#   OUTPUT               folder; worker N writes OUTPUT/worker-N, and each has the same best model in the end
#   CONFIG               configuration file (optional); more arguments of this script go to `quantsearch search`
#   WORKER               number of this worker; the default is that of a Slurm array or an indexed Kubernetes Job
#   CPUS, MEMORY_BYTES   what this worker may use (optional; Slurm says it itself)
#   QUANTSEARCH          the program (default: quantsearch)
#
# A worker that is started again under its number goes on. SIGTERM ends it with its results written; the trial that it was
# running is taken over by another worker.
set -euo pipefail

need() {
  [ -n "${!1:-}" ] || { printf 'worker: %s is not set; it is %s\n' "$1" "$2" >&2; exit 2; }
}
need MODEL 'the float model'
need CALIBRATION 'the calibration data'
need STORAGE 'the address of the shared study, postgresql://user@host/database'
need OUTPUT 'the folder of the results'

worker=${WORKER:-${SLURM_ARRAY_TASK_ID:-${JOB_COMPLETION_INDEX:-0}}}
folder=$OUTPUT/worker-$worker
mkdir -p "$OUTPUT"

arguments=(search "$MODEL" --calibration "$CALIBRATION" --storage "$STORAGE" --study "${STUDY:-search}" --output "$folder")
[ -z "${CONFIG:-}" ] || arguments+=(--config "$CONFIG")
[ ! -e "$folder" ] || arguments+=(--resume)

cpus=${CPUS:-${SLURM_CPUS_PER_TASK:-}}
[ -z "$cpus" ] || arguments+=(--threads "$cpus")
# Half of the memory is for kept results, as it is by default; Slurm counts in MiB.
memory=${MEMORY_BYTES:-$((${SLURM_MEM_PER_NODE:-0} * 1048576))}
[ "$memory" -eq 0 ] || arguments+=(--memory "$((memory / 2))")

exec "${QUANTSEARCH:-quantsearch}" "${arguments[@]}" "$@"
