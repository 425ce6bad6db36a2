"""GRPO: a round trained by rewards for its own samples (`recipes.<name>.method: grpo`), on TRL's GRPOTrainer."""

import warnings

# TRL checks vLLM's version when it is imported, also where no rollout uses vLLM; docs/grpo.md names the versions.
warnings.filterwarnings("ignore", "TRL currently supports vLLM")
