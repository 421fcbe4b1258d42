"""Reproduction of the reference study: search spaces, trials, the best of both models, tables, figures, one page.

`engine.reproduction.job.run_study` is the job. The facts of the study itself are in `resources/study` and in the
presets `study-ae` and `study-vae`.
"""
