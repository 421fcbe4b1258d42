"""The seed study, done again: search spaces, trials, the best of both models, tables, figures, one honest page.

`engine.reproduction.job.run_study` is the job; what it needs to know of the study itself stands in `resources/study`
and in the presets `study-ae` and `study-vae`.
"""
