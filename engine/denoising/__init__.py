"""Comparison of denoising methods: on one image (`compare`), and on many over the noise level (`curve`)."""
