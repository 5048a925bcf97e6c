#!/usr/bin/env bash
# Train each fold of an experiment as a task of its own on a Slurm cluster, then join them.
#
#   bash experiments/cluster/submit.sh experiments/exp2_vggface_lstm.py 5 --data.root /data/SMIC
#
# gives the folds' number and any options of the experiment. Three jobs wait for one another: prepare (records and
# features, once), an array with a task a fold, collect. SBATCH_OPTIONS holds what your cluster asks for, as
# SBATCH_OPTIONS="--partition=gpu --gres=gpu:1 --time=04:00:00". All jobs start in the working directory, which every
# node must see. A fold that failed is trained again, and collected, by
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
note=$(mktemp runs/submitted-XXXXXX) # prepare writes the run directory's name here, the others read it
read -r -a asked <<<"${SBATCH_OPTIONS:-}"
send() { sbatch --parsable ${asked[@]+"${asked[@]}"} "$@"; }

prepare=$(send --job-name=mer-prepare "$step" prepare "$note" "$experiment" "$@")
array=$(send --job-name=mer-fold --dependency="afterok:${prepare%%;*}" --array="0-$((folds - 1))" \
  "$step" fold "$note" "$experiment")
collect=$(send --job-name=mer-collect --dependency="afterok:${array%%;*}" "$step" collect "$note")
echo "jobs $prepare (prepare), $array (folds), $collect (collect); the run's name will stand in $note"
