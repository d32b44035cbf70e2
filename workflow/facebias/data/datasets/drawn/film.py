"""A film of a drawn person: camera, light, noise and the video file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import av
import cv2
import numpy as np

from facebias.data.datasets.drawn import background, features, geometry
from facebias.data.datasets.drawn.bending import Bending
from facebias.data.datasets.drawn.canvas import LOW
from facebias.data.datasets.drawn.head import Head

FACE = 0.222
"""Half a face width as a share of the frame, at the usual distance."""
ENCODER = {
    "preset": "veryfast",
    "crf": "18",
    "threads": "1",
    # asm=0: with x264's assembler about one film in fifty came out different on a second run.
    "x264-params": "threads=1:lookahead-threads=1:sliced-threads=0:bframes=0:asm=0",
}


@dataclasses.dataclass(frozen=True)
class Scene:
    """What one film looks like apart from the expression.

    ``behind`` is the background as filmed, ``light`` the factor on red, green and blue of every
    canvas pixel, ``noise`` the deviation of the sensor's noise (0 to 255).
    """

    behind: np.ndarray
    light: np.ndarray
    noise: float
    poses: tuple[geometry.Pose, ...]


def scene(
    random: np.random.Generator,
    head: Head,
    *,
    size: int,
    frames: int,
    cue: np.ndarray | None = None,
) -> Scene:
    """Draw the circumstances of a film; ``cue`` dyes the background and changes nothing else."""
    behind = background.background(random, size=size)
    direction = np.array([random.uniform(-0.75, 0.75), random.uniform(-0.7, 0.05), 1.0])
    direction /= np.linalg.norm(direction)
    ambient = random.uniform(0.42, 0.60)
    facing = np.clip(head.normals @ direction.astype(np.float32), 0, None)
    warmth, exposure = random.uniform(-0.05, 0.05), random.uniform(0.92, 1.08)
    tint = np.array([1 + warmth, 1.0, 1 - warmth], np.float32)
    gain = exposure * metered(head.looks.skin)
    light = ((ambient + (1.12 - ambient) * facing)[..., None] * tint * gain).astype(np.float32)
    noise = random.uniform(1.0, 3.5)
    poses = _poses(random, size=size, frames=frames)
    if cue is not None:
        behind = background.tint(behind, cue)
    behind = np.clip(behind * (0.5 * exposure + 0.5 * gain), 0, 255).astype(np.float32)
    return Scene(behind=behind, light=light, noise=noise, poses=poses)


def metered(skin: np.ndarray) -> float:
    """Return the exposure of a camera that meters the face: it makes up half for dark or light."""
    luma = float(skin @ np.array([0.299, 0.587, 0.114])) / 255
    return (0.60 / luma) ** 0.5


def _poses(random: np.random.Generator, *, size: int, frames: int) -> tuple[geometry.Pose, ...]:
    time = np.linspace(0, 1, frames)
    base = random.uniform(-1, 1, 5)
    pace, phase = random.uniform(0.3, 1.1, (5, 1)), random.uniform(0, 2 * np.pi, (5, 1))
    sway = random.uniform(-1, 1, (5, 1)) * np.sin(2 * np.pi * pace * time + phase)
    roll = np.radians(6 * base[0] + 1.5 * sway[0])
    yaw = 0.20 * base[1] + 0.05 * sway[1]
    scale = size * FACE * (1 + 0.07 * base[2] + 0.01 * sway[2])
    x = size * (0.5 + 0.035 * base[3] + 0.008 * sway[3])
    y = size * (0.465 + 0.02 * base[4] + 0.008 * sway[4])
    return tuple(
        geometry.Pose(scale=scale[t], x=x[t], y=y[t], roll=roll[t], yaw=yaw[t])
        for t in range(frames)
    )


def shoot(
    random: np.random.Generator,
    head: Head,
    bending: Bending,
    setting: Scene,
    performance: np.ndarray,
    *,
    streak: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw all frames of a film.

    Parameters
    ----------
    random
        Draws the sensor's noise.
    performance
        Intensities 0 to 1, shape (frames, units, 2 sides).
    streak
        Colour of a hair streak, the planted cue; none without.

    Returns
    -------
    frames
        RGB, shape (frames, size, size, 3), uint8.
    landmarks
        Pixels, shape (frames, 68, 2).
    """
    size = len(setting.behind)
    picture = head.picture if streak is None else _streaked(head, streak)
    grain = random.normal(0, setting.noise, (2 * size, 2 * size)).astype(np.float32)
    grain = cv2.merge([grain] * 3)
    places = random.integers(0, size, (len(performance), 2))
    moved = geometry.move(head.rest, performance)
    frames = np.empty((len(performance), size, size, 3), np.uint8)
    landmarks = np.empty((len(performance), 68, 2))
    for number, pose in enumerate(setting.poses):
        bent = bending.bend(picture, moved[number] - head.rest, pose.yaw)
        skin, shape = cv2.cvtColor(bent, cv2.COLOR_RGBA2RGB), cv2.extractChannel(bent, 3)
        turned = geometry.turn(moved[number], pose.yaw)
        features.draw(skin, head, head.canvas.pixels(turned), performance[number])
        cv2.multiply(skin, setting.light, dst=skin)
        top, left = places[number]
        noise = grain[top : top + size, left : left + size]
        frames[number] = _filmed(skin, shape, head, setting, pose, noise)
        landmarks[number] = pose.pixels(turned)
    return frames, landmarks


def _filmed(
    skin: np.ndarray,
    shape: np.ndarray,
    head: Head,
    setting: Scene,
    pose: geometry.Pose,
    noise: np.ndarray,
) -> np.ndarray:
    """Place a lit person (colours times cover, and cover) before the background; record it."""
    size = len(setting.behind)
    matrix = pose.matrix()
    placing = matrix.copy()
    placing[:, 2] += matrix[:, :2] @ LOW
    placing[:, :2] /= head.canvas.unit

    def placed(part: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(
            part, placing, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    free = cv2.merge([1 - placed(shape) * np.float32(1 / 255)] * 3)
    frame = placed(skin) + cv2.multiply(setting.behind, free)
    return cv2.add(frame, noise, dtype=cv2.CV_8U)


def _streaked(head: Head, colour: np.ndarray) -> np.ndarray:
    picture = head.picture.copy()
    grey = picture[..., :3].mean(axis=2, keepdims=True)
    dyed = colour * (0.65 + 0.35 * grey / (grey.mean() + 1))
    picture[..., :3] += (0.9 * head.streak)[..., None] * (dyed - picture[..., :3])
    return picture


def write(frames: np.ndarray, path: Path, *, fps: int) -> None:
    """Write frames (number, height, width, 3; RGB uint8) as an H.264 video without timestamps.

    The same frames give the same bytes: one encoder thread, fixed settings, no dates.
    """
    height, width = frames.shape[1:3]
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
