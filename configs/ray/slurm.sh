#!/bin/bash
# The pipeline with its models on the GPUs of several SLURM nodes: sbatch configs/ray/slurm.sh
# params.yaml needs llm.engine: ray, llm.ray.address: auto, and replicas and parallel sizes that fit the nodes.
# The clone with its .venv (`make setup ray PLATFORM=gpu`) and the models must be on a file system that all nodes see
# under one path. Only the first node opens the response cache: put it on a disk of that node, not on a network share.
#SBATCH --job-name=funreason
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --requeue
set -euo pipefail
[ $# -gt 0 ] || set -- dvc repro
cd "${SLURM_SUBMIT_DIR:?submit it with sbatch, in the clone}"
export PATH="$PWD/.venv/bin:$PATH" RAY_USAGE_STATS_ENABLED=0

# One task per node: the first becomes the head and runs the command, the others join it; all end with the command.
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_NNODES" \
  --num-cpus "$SLURM_CPUS_PER_TASK" --num-gpus "${SLURM_GPUS_PER_NODE##*:}" -- "$@"
