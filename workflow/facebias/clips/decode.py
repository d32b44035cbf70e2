"""Frames of a video, a picture or a folder of pictures, read in order, never held all at once.

A video is decoded twice: once into small grey frames that K-means clusters, once up to the last
key frame to fetch the key frames in colour. The memory needed so depends on the number of key
frames and not on the length of the video. A picture is a video of one frame, and so is a single
frame of a video; the pictures of a folder, in the order of their names, are the frames of one, and
so are those of an animated picture.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from facebias import tables
from facebias.clips import UnusableError, formats, pictures, require_file

# Containers promise a few frames that an edit list or a lone last packet takes away again, so a
# video counts as truncated only when more than this share of it is missing.
TOLERATED_LOSS = 0.1
# Pixels of anamorphic films are up to about twice as wide as high; more is a mistake in the file.
WIDEST_PIXEL = 4


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
        if self._is_series:
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
        uint8 array (height, width, 3), RGB, upright and with square pixels: the rotation that a
        camera noted is applied, and the shape of the pixels.
        """
        if self._is_still:
            yield from (self._still for _ in positions)
        elif self.path.is_dir():
            paths = _pictures_in(self.path)
            yield from (pictures.read_picture(paths[n], self._white) for n in positions)
        elif self._is_animated:
            yield from _picked(self._series(), positions)
        else:
            with _video(self.path) as (container, stream):
                yield from _picked(_frames(container, stream), positions, Upright(stream))

    @property
    def _is_picture(self) -> bool:
        return self.path.suffix.lower() in formats.PICTURES

    @functools.cached_property
    def _is_animated(self) -> bool:
        return self._is_picture and pictures.is_animated(self.path)

    @property
    def _is_series(self) -> bool:
        return self.path.is_dir() or self._is_animated

    @property
    def _is_still(self) -> bool:
        return tables.FRAME in self.path.name or (self._is_picture and not self._is_series)

    @functools.cached_property
    def _still(self) -> np.ndarray:
        film, found, number = str(self.path).partition(tables.FRAME)
        return (
            _running(Path(film)).frame(int(number)) if found else (pictures.read_picture(self.path))
        )

    def _series(self) -> Iterator[np.ndarray]:
        """Read the pictures of a folder or animation in turn; they must be of one size."""
        if self._is_animated:
            named = (("a frame", picture) for picture in pictures.read_animation(self.path))
        else:
            paths, white = _pictures_in(self.path), self._white
            named = ((path.name, pictures.read_picture(path, white)) for path in paths)
        shape = None
        for name, picture in named:
            shape = shape or picture.shape
            if picture.shape != shape:
                raise UnusableError(
                    f"changing size: {shape[1]} x {shape[0]} pixels, "
                    f"{name} has {picture.shape[1]} x {picture.shape[0]}"
                )
            yield picture

    @functools.cached_property
    def _white(self) -> float | None:
        """The value that is white in all pictures of a folder, or they would flicker."""
        found = [pictures.white(path) for path in _pictures_in(self.path)]
        return max((value for value in found if value is not None), default=None)


@dataclasses.dataclass(frozen=True)
class Upright:
    """Turns frames of a video as its camera noted, and makes their pixels square."""

    stream: av.VideoStream

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a frame as RGB, uint8 (height, width, 3)."""
        width, height = _square_pixels(frame.width, frame.height, self.stream.sample_aspect_ratio)
        pixels = frame.to_ndarray(format="rgb24", width=width, height=height, threads=1)
        return np.ascontiguousarray(np.rot90(pixels, k=frame.rotation // 90))


class _Running:
    """A video that is decoded from frame to frame, for samples that are its frames in turn."""

    def __init__(self, path: Path):
        self._path, self._fault = path, None
        self._start()

    def frame(self, number: int) -> np.ndarray:
        """Return a frame (height, width, 3) by its number; going back starts anew."""
        if self._fault is not None and number >= self._next:
            raise UnusableError(self._fault)
        if number < self._next:
            self._start()
        try:
            for frame, upright in self._frames:
                self._next += 1
                if self._next == number + 1:
                    return upright(frame)
        except UnusableError as reason:
            self._fault = str(reason)
            raise
        raise UnusableError(f"no such frame: {number}, the video has {self._next}")

    def _start(self) -> None:
        self._next, self._fault, self._frames = 0, None, self._decoded()

    def _decoded(self) -> Iterator[tuple[av.VideoFrame, Upright]]:
        with _video(self._path) as (container, stream):
            upright = Upright(stream)
            yield from ((frame, upright) for frame in _frames(container, stream))


# Samples follow one another as the manifest lists them, so one video is open at a time.
_running = functools.lru_cache(maxsize=1)(_Running)


def _pictures_in(folder: Path) -> list[Path]:
    """List the pictures of a folder in the order of their names; hidden ones are none."""
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in formats.PICTURES and not path.name.startswith(".")
    )
    if not found:
        raise UnusableError("no frames: the folder holds no pictures")
    return found


def _picked(
    frames: Iterable[Any], positions: list[int], read: Callable[[Any], np.ndarray] = np.asarray
) -> Iterator[np.ndarray]:
    """Read the frames at rising positions, and go no further than the last."""
    wanted = list(positions)
    for number, frame in enumerate(frames):
        if wanted and number == wanted[0]:
            pixels = read(frame)
            while wanted and number == wanted[0]:
                wanted.pop(0)
                yield pixels
        if not wanted:
            return
    raise UnusableError(f"damaged video: frame {wanted[0]} could be read once and not again")


def _small(picture: np.ndarray, size: int) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (size, size), interpolation=cv2.INTER_AREA)


def _square_pixels(width: int, height: int, shape: Fraction | None) -> tuple[int, int]:
    """Return the size of a frame whose pixels, ``shape`` times as wide as high, are made square.

    The shorter side of the pixels grows, so that no detail is lost.
    """
    if not shape:  # it is not noted
        return width, height
    if not 1 / WIDEST_PIXEL <= shape <= WIDEST_PIXEL:
        raise UnusableError(f"odd pixels: {shape} times as wide as high")
    return (round(width * shape), height) if shape > 1 else (width, round(height / shape))


@contextlib.contextmanager
def _video(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    require_file(path)
    try:
        # Titles are often in old encodings, and nobody reads them here.
        container = av.open(
            str(path),
            metadata_errors="ignore",
            options={"format_whitelist": ",".join(formats.CONTAINERS)},
        )
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
