#!/usr/bin/env bash
# Train each fold of an experiment as a task of its own on a Slurm cluster, then join them.
#
#   bash experiments/cluster/submit.sh experiments/exp2_vggface_lstm.py 5 --data.root /data/SMIC
#
# gives the folds' number and any options of the experiment. The first job makes records and features, trains fold 0 and
# measures it; it then sends an array with a task for each other fold, which asks for half as much memory again and
# twice the time, and a job that waits for all of them and collects. GPUS=1 asks for a GPU a task. SBATCH_OPTIONS holds
# what else your cluster wants, as SBATCH_OPTIONS="--partition=gpu --account=faces"; it wins over what was measured.
# All jobs start in the working directory, which every node must see. A fold that failed is trained again, and
# collected, by
#
#   sbatch --array=3 experiments/cluster/step.sbatch fold RUN_NOTE experiments/exp2_vggface_lstm.py
#   sbatch experiments/cluster/step.sbatch collect RUN_NOTE
set -euo pipefail

if [ $# -lt 2 ]; then
  echo "usage: bash $0 EXPERIMENT.py FOLDS [--option value ...]" >&2
  exit 2
fi
step=$(dirname "$0")/step.sbatch
experiment=$1
folds=$2
shift 2

mkdir -p runs
note=$(mktemp runs/submitted-XXXXXX) # the first job writes the run directory's name here, the others read it
read -r -a asked <<<"${GPUS:+--gres=gpu:$GPUS }${SBATCH_OPTIONS:-}"
job=$(sbatch --parsable --job-name=mer-first ${asked[@]+"${asked[@]}"} \
  "$step" first "$note" "$experiment" "$folds" "$step" "$@")
echo "job ${job%%;*} prepares, trains fold 0 and sends the others; the run's name will stand in $note"
