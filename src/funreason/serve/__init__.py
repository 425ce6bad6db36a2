"""Serving a trained model: the template, the parsers and the proof that a server asks what the model was trained on."""
