"""Search for settings: what varies (`space`), what was tried (`ledger`), what is next (`oracle`), doing it (`job`).

`space`, `ledger` and `importance` know no framework, so the window may use them.
"""
