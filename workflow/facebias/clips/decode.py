"""Frames of a video, a picture or a folder of pictures, read in order, never held all at once.

A video is decoded twice: once into small grey frames that K-means clusters, once up to the last
key frame to fetch the key frames in colour. The memory needed so depends on the number of key
frames and not on the length of the video. A picture is a video of one frame, and so is a single
frame of a video; the pictures of a folder, in the order of their names, are the frames of one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image, ImageOps

from facebias import tables
from facebias.clips import UnusableError

# Containers promise a few frames that an edit list or a lone last packet takes away again, so a
# video counts as truncated only when more than this share of it is missing.
TOLERATED_LOSS = 0.1


@dataclasses.dataclass(frozen=True)
class Footage:
    """A video, opened anew by each method, or a picture, which is read once.

    Also a folder of pictures, or one frame of a video (``film.mp4#frame=12``).
    """

    path: Path

    def grey(self, size: int) -> np.ndarray:
        """Read the whole file as small grey frames.

        Parameters
        ----------
        size
            Side of the small frames in pixels; the shape of the picture is not kept.

        Returns
        -------
        uint8 array (frames, size, size).

        Raises
        ------
        UnusableError
            If the file is no such picture or video, is damaged or cut short.
        """
        if self._is_still:
            return _small(self._still, size)[None]
        if self.path.is_dir():
            return np.stack([_small(picture, size) for picture in self._series()])
        with _video(self.path) as (container, stream):
            # Setting up a converter costs as much as a third of decoding, so one serves the film.
            converter, small, last = VideoReformatter(), bytearray(), None
            for frame in _frames(container, stream):
                reduced = converter.reformat(
                    frame, size, size, "gray", interpolation=Interpolation.AREA, threads=1
                )
                # The bytes alone: PyAV's array would keep the frame with all that belongs to it.
                small += reduced.to_ndarray().tobytes()
                last = frame.time if frame.time is not None else last
            grey = np.frombuffer(small, np.uint8).reshape(-1, size, size)
            _check_length(container, stream, len(grey), last)
        return grey

    def colour(self, positions: list[int]) -> Iterator[np.ndarray]:
        """Read single frames, decoding up to the last of them.

        Parameters
        ----------
        positions
            Numbers of the frames, from 0, in rising order; one may stand several times.

        Yields
        ------
        uint8 array (height, width, 3), RGB, upright: the rotation that a camera noted is applied.
        """
        if self._is_still:
            yield from (self._still for _ in positions)
            return
        if self.path.is_dir():
            pictures = _pictures_in(self.path)
            yield from (read_picture(pictures[position]) for position in positions)
            return
        wanted = list(positions)
        with _video(self.path) as (container, stream):
            for number, frame in enumerate(_frames(container, stream)):
                if wanted and number == wanted[0]:
                    upright = _upright(frame)
                    while wanted and number == wanted[0]:
                        wanted.pop(0)
                        yield upright
                if not wanted:
                    return
        raise UnusableError(f"damaged video: frame {wanted[0]} could be read once and not again")

    @property
    def _is_picture(self) -> bool:
        return self.path.suffix.lower() in Image.registered_extensions()

    @property
    def _is_still(self) -> bool:
        return self._is_picture or tables.FRAME in self.path.name

    @functools.cached_property
    def _still(self) -> np.ndarray:
        film, found, number = str(self.path).partition(tables.FRAME)
        return _running(Path(film)).frame(int(number)) if found else read_picture(self.path)

    def _series(self) -> Iterator[np.ndarray]:
        """Read the pictures of a folder one after the other; they must be of one size."""
        shape = None
        for path in _pictures_in(self.path):
            picture = read_picture(path)
            shape = shape or picture.shape
            if picture.shape != shape:
                raise UnusableError(
                    f"changing size: {shape[1]} x {shape[0]} pixels, "
                    f"{path.name} has {picture.shape[1]} x {picture.shape[0]}"
                )
            yield picture


class _Running:
    """A video that is decoded from frame to frame, for samples that are its frames in turn."""

    def __init__(self, path: Path):
        self._path, self._fault = path, None
        self._start()

    def frame(self, number: int) -> np.ndarray:
        """Give a frame (height, width, 3) by its number; going back starts anew."""
        if self._fault is not None and number >= self._next:
            raise UnusableError(self._fault)
        if number < self._next:
            self._start()
        try:
            for frame in self._frames:
                self._next += 1
                if self._next == number + 1:
                    return _upright(frame)
        except UnusableError as reason:
            self._fault = str(reason)
            raise
        raise UnusableError(f"no such frame: {number}, the video has {self._next}")

    def _start(self) -> None:
        self._next, self._fault, self._frames = 0, None, self._decoded()

    def _decoded(self) -> Iterator[av.VideoFrame]:
        with _video(self._path) as (container, stream):
            yield from _frames(container, stream)


# Samples follow one another as the manifest lists them, so one video is open at a time.
_running = functools.lru_cache(maxsize=1)(_Running)


def _pictures_in(folder: Path) -> list[Path]:
    """List the pictures of a folder in the order of their names; hidden ones are none."""
    known = Image.registered_extensions()
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in known and not path.name.startswith(".")
    )
    if not found:
        raise UnusableError("no frames: the folder holds no pictures")
    return found


def _small(picture: np.ndarray, size: int) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    turned = np.rot90(frame.to_ndarray(format="rgb24", threads=1), k=frame.rotation // 90)
    return np.ascontiguousarray(turned)


def read_picture(path: Path) -> np.ndarray:
    """Read a picture of any mode (grey, palette, transparent, CMYK, 16 bits) as upright RGB.

    Returns
    -------
    uint8 array (height, width, 3). Transparent parts are black.

    Raises
    ------
    UnusableError
        If the file is no picture or is cut short.
    """
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
                picture = _to_eight_bits(picture)
            if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)
            return np.array(picture.convert("RGB"))
    except FileNotFoundError:
        raise UnusableError("no such file") from None
    except Image.DecompressionBombError:
        raise UnusableError("picture too large: more pixels than Pillow agrees to open") from None
    except Exception as error:  # Pillow's readers raise nearly anything on damaged files
        raise UnusableError(_why_no_picture(path, error)) from None


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture).astype(np.float64)
    top = 65535.0 if picture.mode.startswith("I") else max(float(values.max()), 1.0)
    return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).round().astype(np.uint8))


def _why_no_picture(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "empty file: 0 bytes"
    if isinstance(error, OSError) and "truncated" in str(error).lower():
        return "truncated picture: the file ends too early"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture: the content is of no known picture format"
    return "damaged picture: it cannot be read to its end"


@contextlib.contextmanager
def _video(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    try:
        container = av.open(str(path))
    except av.error.FileNotFoundError:
        raise UnusableError("no such file") from None
    except av.error.FFmpegError:
        if path.stat().st_size == 0:
            raise UnusableError("empty file: 0 bytes") from None
        raise UnusableError("not a video: damaged, truncated or of no known format") from None
    with container:
        if not container.streams.video:
            raise UnusableError("no picture track: the file holds sound or text only")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise UnusableError("unknown video codec: FFmpeg cannot decode the video")
        # Jobs share the machine by shards, so a job keeps to one core.
        stream.codec_context.thread_count = 1
        yield container, stream


def _frames(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    number, size = 0, None
    try:
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise UnusableError(f"damaged video: frame {number} is damaged")
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:
                raise UnusableError(
                    f"changing size: {size[0]} x {size[1]} pixels, "
                    f"from frame {number} on {frame.width} x {frame.height}"
                )
            yield frame
            number += 1
    except av.error.FFmpegError:
        raise UnusableError(f"damaged video: cannot be decoded after frame {number}") from None


def _check_length(
    container: av.container.InputContainer, stream: av.VideoStream, frames: int, last: float | None
) -> None:
    """Compare what was decoded with what the file promises."""
    if frames == 0:
        raise UnusableError("no frames: the video track is empty or cut off")
    if stream.frames:
        if frames < (1 - TOLERATED_LOSS) * stream.frames:
            raise UnusableError(
                f"truncated video: only {frames} of {stream.frames} frames can be read"
            )
        return
    # Without a count only the duration tells; a sound track may rightly last longer.
    if container.duration and len(container.streams) == 1 and last is not None:
        promised = container.duration / av.time_base
        shown = last + 1 / float(stream.average_rate or 25)
        if shown < (1 - TOLERATED_LOSS) * promised:
            raise UnusableError(
                f"truncated video: only {shown:.2f} of {promised:.2f} seconds can be read"
            )
