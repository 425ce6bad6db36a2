"""Run untrusted programs and scorers: isolation from the machine, limits, and scorer processes that may die.

It knows nothing of benchmarks. `isolation` locks one command in, `seccomp` filters its calls of the kernel, `cgroup`
and `limits` bound what its processes take together, and `scorer` sends requests to a script that runs inside.
"""
