"""Icons, style, presets and the demo run: files only, found beside the packages `engine` and `gui`."""
