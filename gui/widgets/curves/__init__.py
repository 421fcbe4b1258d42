"""Line charts."""
