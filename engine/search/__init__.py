"""Hyperparameter search: what varies (`space`), what was tried (`storage`), what is next (`oracle`), the job (`job`).

`space`, `storage` and `importance` import no framework, so the app may use them.
"""
