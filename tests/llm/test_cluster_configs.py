"""The examples in configs/ray/: what can be seen without a cluster."""

import os
import subprocess
from pathlib import Path

from funreason.config import read_yaml

ROOT = Path(__file__).parents[2]
RAY = ROOT / "configs/ray"
VERSION = next(line for line in (ROOT / "requirements/ray.in").read_text().splitlines() if line.startswith("ray=="))[5:]

# What SLURM's own commands do on a job of one node.
SRUN = '#!/bin/bash\nexec "$@"\n'
SCONTROL = '#!/bin/bash\n[ "$1 $2" = "show hostnames" ] && echo "$3"\n'
STARTED = '#!/bin/bash\nprintf "%s\\n" "$@"\n'


def test_the_slurm_script_starts_ray_on_all_nodes_and_runs_the_pipeline(tmp_path):
    for name, text in {"srun": SRUN, "scontrol": SCONTROL, ".venv/bin/ray": STARTED}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    job = {"SUBMIT_DIR": str(tmp_path), "JOB_NODELIST": "node1", "NNODES": "4", "CPUS_PER_TASK": "64"}
    job = {f"SLURM_{name}": value for name, value in (job | {"GPUS_PER_NODE": "h100:8"}).items()}
    job["PATH"] = f"{tmp_path}:{os.environ['PATH']}"

    def started(*arguments) -> list[str]:
        done = subprocess.run(
            ["bash", RAY / "slurm.sh", *arguments], env=job, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    cluster = [
        "symmetric-run",
        "--address",
        "node1:6379",
        "--min-nodes",
        "4",
        "--num-cpus",
        "64",
        "--num-gpus",
        "8",
        "--",
    ]
    assert started() == [*cluster, "dvc", "repro"]
    assert started("dvc", "repro", "generate@r0") == [*cluster, "dvc", "repro", "generate@r0"]


def test_the_kubernetes_job_has_the_pinned_ray_and_fits_itself():
    job = read_yaml(RAY / "kuberay.yaml")
    cluster = job["spec"]["rayClusterSpec"]
    assert (job["apiVersion"], job["kind"], cluster["rayVersion"]) == ("ray.io/v1", "RayJob", VERSION)
    head, (workers,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    for group in (head, workers):
        pod = group["template"]["spec"]
        mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    assert "/work/funreason" in job["spec"]["entrypoint"]
