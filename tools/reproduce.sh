#!/usr/bin/env bash
# The paper's experiments at the scale `long`, from nothing to the tables of docs/reproduction.md:
#
#   tools/reproduce.sh RUN PHOTOGRAPHS
#
# RUN is the folder for data, weights and results (about 12 GB). PHOTOGRAPHS is a folder of your own
# with instances.json (COCO format) and images/; its people, animals and vehicles are cut out and
# its empty pictures become backgrounds. Stopped at any moment, the same command goes on. The most
# telling experiments come first, and the first seed of everything before the second.
# ACTSEG names the command line (.venv/bin/actseg), SEEDS how many trainings each network gets (3).
set -euo pipefail

if [ $# -ne 2 ] || [ ! -f "$2/instances.json" ]; then
  echo "usage: $0 RUN PHOTOGRAPHS; PHOTOGRAPHS holds instances.json and images/" >&2
  exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
run=$(cd "$1" && pwd)
photographs=$(cd "$2" && pwd)
read -r -a actseg <<< "${ACTSEG:-$root/.venv/bin/actseg}"
seeds=${SEEDS:-3}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

exec 9> "$run/lock"
if ! flock -n 9; then
  echo "$run is in use by another $0" >&2
  exit 2
fi

step() {  # name, command: say when it begins, keep all it says
  echo "$(date '+%F %T')  $1" | tee -a "$run/steps.log"
  shift
  "$@" >> "$run/output.log" 2>&1
}

weights=$run/pretrain
step "clips to pretrain on" "${actseg[@]}" generate "$run/pretrain_data" --videos 2400 --seed 41 \
  --cutouts "$photographs" --set test_share=0.1 --set annotated_frames=1 --set flow=none \
  --set test_cutout_part=validation --set scene.cutout_part=train --set scene.cutout_share=0.6 \
  --set scene.camera=moving --set scene.min_actors=1 --set scene.max_actors=3 \
  --set scene.frames=20 --set scene.height=128 --set scene.width=128 --set scene.actor_scale=1.6

pretrain() {  # rgb, flow or vgg
  if [ "$1" = vgg ]; then
    step "pretraining VGG16" "${actseg[@]}" pretrain "$run/pretrain_data" --config half_vgg \
      --run "$weights" --photographs "$photographs"
  else
    step "pretraining I3D, $1" "${actseg[@]}" pretrain "$run/pretrain_data" --config half \
      --run "$weights" --stream "$1"
  fi
}

settings=(
  --scale long --data "$run/data" --set "a2d.scene.cutouts=$photographs"
  --set "jhmdb.scene.cutouts=$photographs" --set "weights.rgb=$weights/half_rgb.safetensors"
  --set "vgg_weights=$weights/half_vgg.safetensors"
  --set "classifier=$run/classifier/classifier.safetensors"
)

ablate() {  # number of seeds, sets; a failed cell is in its failure.json and is tried again
  local count=$1
  shift
  step "ablate $* ($count seeds)" "${actseg[@]}" ablate "$@" "${settings[@]}" --seeds "$count" \
    --run "$run/ablate" --set "weights.flow=$weights/half_flow.safetensors" || incomplete
}

incomplete() {
  echo "  not all cells are done, see $run/output.log" | tee -a "$run/steps.log"
}

pretrain rgb
pretrain flow
ablate 1 streams
pretrain vgg
ablate 1 streams baselines transfer
ablate 1 streams baselines transfer frames resolution text
step "the classifier of Table 3" "${actseg[@]}" train-classifier "$run/data/a2d" \
  --run "$run/classifier" --rgb-weights "$weights/half_rgb.safetensors" \
  --flow-weights "$weights/half_flow.safetensors" --set width=0.5 --set flow.estimator=dis \
  --set train_frames=16 --set test_frames=16 --set short_side_px=128 --set crop_px=112
for count in $(seq 1 "$seeds"); do
  ablate "$count" streams baselines transfer frames resolution text pairs
done

# TV-L1 in place of DIS, once: it takes 1.6 s of processor time for every clip.
step "pretraining I3D, TV-L1" "${actseg[@]}" pretrain "$run/pretrain_data" --config half_tvl1 \
  --run "$run/pretrain_tvl1"
step "the flow stream on TV-L1" "${actseg[@]}" ablate streams "${settings[@]}" --seeds 1 \
  --only ablation_stream_flow --run "$run/ablate_tvl1" --set model.flow.estimator=tvl1 \
  --set "weights.flow=$run/pretrain_tvl1/half_tvl1_flow.safetensors" || incomplete
step "done" true
