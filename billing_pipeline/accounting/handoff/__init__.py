"""The canonical journal rendered for other accounting systems: one module per format."""
