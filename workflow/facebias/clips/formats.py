"""Which files are pictures and which are videos, told by their suffix and checked by content."""

from __future__ import annotations

PICTURES = (
    *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"),
    *(".gif", ".avif", ".jp2", ".pgm", ".ppm"),
)
VIDEOS = (
    *(".mp4", ".avi", ".mov", ".mkv", ".webm"),
    *(".m4v", ".mpg", ".mpeg", ".mts", ".m2ts", ".flv", ".wmv", ".asf", ".3gp", ".dv", ".ogv"),
)
# Pictures that may be animated, and are films then.
ANIMATED = (".gif", ".webp", ".avif")

# Pillow's readers. Others start programs (EPS) or read what is no picture of a face.
READERS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "AVIF", "JPEG2000", "PPM")
# FFmpeg's demultiplexers. Others open further files or addresses (concat, hls, dash, sdp).
CONTAINERS = (
    *("mov", "matroska", "avi", "mpeg", "mpegts", "mpegvideo", "m4v", "h264", "hevc"),
    *("flv", "asf", "dv", "ogg", "mxf", "ivf"),
)
