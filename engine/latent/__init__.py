"""Latent space of a run: coordinates, maps, neighbors, interpolation, samples, and the posterior SD.

None of these modules imports Keras: a model is accessed by its `encoder`, `decoder`, `posterior`, `predict_on_batch`.
"""
