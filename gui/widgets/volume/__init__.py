"""Three linked planes of a volume, with window and level, a histogram, a ruler and the statistics of a region."""
