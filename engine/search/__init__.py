"""Hyperparameter search: what varies (`space`), what was tried (`storage`), what is next (`oracle`), the job (`job`).

`space`, `space_file`, `storage`, `folder`, `search_spec`, `commands`, `statistics` and `importance` import no
framework, so the app may use them.
"""
