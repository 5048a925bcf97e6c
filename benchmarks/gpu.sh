#!/usr/bin/env bash
# What a GPU does with mer_tf, within 8 minutes: training steps of every network in bfloat16 beside the device's own rate
# of matrix products, ResNet-50 beside PyTorch's, all folds in one program, and the input pipeline. Needs JAX and Keras,
# not TensorFlow.
#
#     bash benchmarks/gpu.sh [FOLDER]          # writes FOLDER/rows.jsonl and FOLDER/log.txt (gpu-results)
#     python benchmarks/results.py FOLDER/rows.jsonl        # brings the rows into benchmarks/RESULTS.md
#     SMALL=1 bash benchmarks/gpu.sh           # the same commands in the least size, to try them on a CPU
#     DRY=1 bash benchmarks/gpu.sh             # prints the commands
set -u
out=${1:-gpu-results}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
rows=$out/rows.jsonl
export KERAS_BACKEND=${KERAS_BACKEND:-jax} PYTHONPATH="$here/..${PYTHONPATH:+:$PYTHONPATH}"
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$out/compiled} PYTHONUNBUFFERED=1

# part SECONDS PROGRAM ARGUMENT...: one program with its limit; what it had measured by then is kept.
part() {
  local limit=$1
  shift
  if [ -n "${DRY:-}" ]; then
    echo "$*"
    return
  fi
  echo "$(date +%T) $*"
  timeout -k 5 "$limit" python3 "$here/$1" "${@:2}" --rows "$rows" >>"$out/log.txt" 2>&1 ||
    echo "  ended with $? (124: its $limit s were over); $out/log.txt says why"
}

lacking() {
  python3 - <<'PYTHON'
from importlib.util import find_spec
names = {"keras": "keras", "jax": "jax", "tyro": "tyro", "cv2": "opencv-python-headless", "sklearn": "scikit-learn"}
names |= {name: name for name in ("numpy", "pandas", "scipy", "matplotlib", "h5py", "tqdm", "platformdirs", "filelock")}
names |= {name: name for name in ("simplejpeg", "threadpoolctl", "openpyxl", "xlrd")}
print(*[package for name, package in names.items() if find_spec(name) is None])
PYTHON
}

if [ -z "${DRY:-}" ] && [ -n "$(lacking)" ]; then
  echo "not installed here: $(lacking); pip install them, or bring their wheels" >&2
  exit 1
fi

if [ -n "${SMALL:-}" ]; then
  part 300 model_steps.py --names exp2_vggface_lstm ststnet --preset embedded --changes train.batch_size=2 --steps 2
  part 120 resnet50.py --of keras --batch 2 --side 32 --steps 1
  part 120 resnet50.py --of torch --batch 2 --side 32 --steps 1
  part 300 loso.py --epochs 2 --batch 16 --clips 24 --folds 4
  part 120 input_pipeline.py --clips 8 --size 32 --rounds 1 --kinds exp8_megc2019
else
  part 230 model_steps.py --seconds 200
  part 60 resnet50.py --of keras
  part 110 resnet50.py --of torch
  part 40 loso.py --epochs 3
  part 40 input_pipeline.py --rounds 1 --clips 256
fi
