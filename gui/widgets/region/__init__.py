"""Regions drawn on an image."""
