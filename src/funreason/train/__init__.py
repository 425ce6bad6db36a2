"""The train stage: one round's rows and a start model in; a model, loss curves and metrics out."""
