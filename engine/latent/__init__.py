"""The latent space of a run: its coordinates, maps of it, what lies near and between scans, samples, and their spread.

None of these modules imports Keras: a model is known by its `encoder`, `decoder`, `posterior` and `predict_on_batch`.
"""
