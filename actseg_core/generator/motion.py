"""How the actions move: speed, cadence, trajectory. Poses of a single frame are shared.

Walking, running, jumping and standing still draw limb phase, swing and bend from one
distribution, so that a still picture does not tell them apart; what differs is how fast the phase
advances and where the body goes.
"""

import numpy as np

from actseg_core.generator.figures.base import TAU, Motion
from actseg_core.generator.palette import pick
from actseg_core.generator.skeleton import Track

STILL_FAMILIES: dict[str, tuple[str, ...]] = {
    "adult": ("stand", "stand", "stand", "crawl", "climb", "roll", "eat"),
    "baby": ("stand", "stand", "crawl", "climb", "roll"),
    "ball": ("stand",),
    "bird": ("stand", "stand", "air", "eat", "climb", "roll"),
    "car": ("stand", "stand", "air", "roll"),
    "cat": ("stand", "stand", "eat", "climb", "roll"),
    "dog": ("stand", "stand", "eat", "crawl", "roll"),
}
"""Body poses in which an actor may do nothing: those of its actions."""

ALL_FAMILIES = ("stand", "crawl", "climb", "roll", "eat", "air")
FRONT_FAMILIES = ("stand",)
PHOTO_FAMILIES = ("stand", "climb", "roll", "air")
"""Body poses that a figure seen from the front, and a photographed one, can take."""

SPEED: dict[str, tuple[float, float]] = {
    "walking": (0.012, 0.024),
    "running": (0.06, 0.11),
    "crawling": (0.005, 0.012),
    "climbing": (0.012, 0.03),
}
"""Range of speeds [units per frame]."""

CADENCE: dict[str, tuple[float, float]] = {
    "walking": (0.03, 0.05),
    "running": (0.1, 0.15),
    "crawling": (0.03, 0.05),
    "climbing": (0.04, 0.07),
    "eating": (0.08, 0.16),
}
"""Range of limb frequencies [cycles per frame]."""


def perform(
    action: str,
    actor: str,
    frames: int,
    span: float,
    rng: np.random.Generator,
    *,
    families: tuple[str, ...] = ALL_FAMILIES,
    front: bool = False,
) -> Motion:
    """A random performance of an action.

    Args:
        action: One of labels.ACTIONS that the actor can do.
        actor: One of labels.ACTORS.
        frames: T.
        span: Width of the room to move in [units]; long ways turn round at its ends.
        rng: Source of randomness.
        families: Body poses that the figure can take while it does nothing.
        front: Whether the figure faces the camera; then walking and running approach it.

    Returns:
        The motion, with x and up relative to the middle of the way.
    """
    stage = _Stage(actor, frames, span, rng, families, front)
    make = {
        "none": stage.still,
        "walking": stage.gait,
        "running": stage.gait,
        "crawling": stage.gait,
        "climbing": stage.climb,
        "eating": stage.eat,
        "jumping": stage.jump,
        "rolling": stage.roll,
        "flying": stage.fly,
    }
    return make[action](action)


class _Stage:
    """The random choices that all actions share."""

    def __init__(
        self,
        actor: str,
        frames: int,
        span: float,
        rng: np.random.Generator,
        families: tuple[str, ...],
        front: bool,
    ) -> None:
        self.families = families
        self.front = front
        self.actor = actor
        self.rng = rng
        self.span = max(span, 0.2)
        self.t: Track = np.arange(frames, dtype=np.float64) - (frames - 1) / 2
        self.zero: Track = np.zeros(frames)
        self.way = float(rng.choice([-1.0, 1.0]))
        self.phase = float(rng.random())
        self.swing = float(rng.uniform(0.15, 1.0))
        self.bend = float(rng.random())

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def motion(
        self,
        action: str,
        family: str,
        *,
        phase: Track | None = None,
        travel: Track | None = None,
        up: Track | None = None,
        spin: Track | None = None,
        nearing: float = 0.0,
    ) -> Motion:
        """Fold the travelled way [units] into the span and put everything together."""
        way = self.zero if travel is None else travel
        x, facing = fold(way * self.way, self.way, self.span)
        return Motion(
            action=action,
            family=family,
            phase=self.zero + self.phase if phase is None else phase + self.phase,
            x=x,
            up=self.zero if up is None else up,
            spin=self.zero if spin is None else spin,
            facing=facing,
            depth=np.exp(min(nearing, 0.9 / len(self.t)) * self.t),
            swing=self.swing,
            bend=self.bend,
        )

    def still(self, action: str) -> Motion:
        """Standing, lying, perching: nothing, or a slow sway."""
        families = [family for family in STILL_FAMILIES[self.actor] if family in self.families]
        family = pick(self.rng, families)
        sway = self.uniform(0.0, 0.03) * np.sin(TAU * self.uniform(0.005, 0.02) * self.t)
        tilt = self.zero
        if family == "roll":
            tilt = self.zero + self.uniform(0, TAU)
        elif family == "air":
            tilt = self.zero + self.uniform(-0.3, 0.3)
        raised = self.zero
        if family == "air" or self.rng.random() < 0.3:
            raised = raised + self.uniform(0.1, 0.7)
        if self.actor == "ball":
            raised = raised + max(0.0, self.uniform(-1.5, 2.5))
            tilt = self.zero + self.uniform(0, TAU)
        return self.motion(action, family, phase=sway, spin=tilt, up=raised)

    def gait(self, action: str) -> Motion:
        """Walking, running, crawling: a way along the ground and limbs in step."""
        speed = self.uniform(*SPEED[action])
        cadence = self.uniform(*CADENCE[action])
        if self.actor == "car":
            speed *= 0.9
        bounce = 0.035 if action == "running" else 0.01
        up = bounce * np.abs(np.sin(TAU * cadence * self.t))
        if self.rng.random() < 0.25:
            up = up + self.uniform(0.1, 0.6)
        family = "crawl" if action == "crawling" else "stand"
        nearing, way = (0.35 * speed, 0.15 * speed) if self.front else (0.0, speed)
        return self.motion(
            action, family, phase=cadence * self.t, travel=way * self.t, up=up, nearing=nearing
        )

    def climb(self, action: str) -> Motion:
        """Upwards in pulls, limb after limb."""
        speed, cadence = self.uniform(*SPEED[action]), self.uniform(*CADENCE[action])
        pull = np.sin(2 * TAU * cadence * self.t) / (2 * TAU * cadence)
        up = fold(speed * (self.t + 0.8 * pull), 1.0, 1.6)[0]
        return self.motion(action, "climb", phase=cadence * self.t, up=up)

    def eat(self, action: str) -> Motion:
        """Head or hand to and fro, in place."""
        return self.motion(action, "eat", phase=self.uniform(*CADENCE[action]) * self.t)

    def jump(self, action: str) -> Motion:
        """Ballistic arcs, on the spot or forwards."""
        period = self.uniform(8, 15)
        height = self.uniform(0.3, 0.7) * (2.2 if self.actor == "ball" else 1.0)
        height *= 0.6 if self.actor == "car" else 1.0
        air = 1.0 if self.actor == "ball" else 0.8
        u = np.minimum(1.0, np.mod(self.t / period + self.rng.random(), 1.0) / air)
        up = 4.0 * height * u * (1.0 - u)
        speed = self.uniform(0.0, 0.05)
        cadence = self.uniform(0.0, 0.03)
        pitch = 0.25 * (2 * u - 1.0) if self.actor == "car" else self.zero
        family = "air" if self.actor == "car" else "stand"
        return self.motion(
            action, family, phase=cadence * self.t, travel=speed * self.t, up=up, spin=pitch
        )

    def roll(self, action: str) -> Motion:
        """Turning over along the ground, or rocking on the back."""
        if self.actor != "ball" and self.rng.random() < 0.3:
            rock = self.uniform(0.6, 1.2) * np.sin(TAU * self.uniform(0.05, 0.09) * self.t)
            spin = np.pi + self.uniform(-0.4, 0.4) + rock
            cadence = self.uniform(0.04, 0.1)
            return self.motion(
                action, "roll", phase=cadence * self.t, travel=0.15 * rock, spin=spin
            )
        rate = self.uniform(0.15, 0.4)  # rad per frame
        radius = 0.5 if self.actor == "ball" else self.uniform(0.08, 0.16)
        turned = rate * self.t + self.uniform(0, TAU)
        travel = rate * radius * self.t
        cadence = self.uniform(0.0, 0.06)
        return self.motion(action, "roll", phase=cadence * self.t, travel=travel, spin=turned)

    def fly(self, action: str) -> Motion:
        """A way through the air; birds beat their wings or glide."""
        frames = len(self.t)
        speed = self.uniform(0.04, 0.12) * (2.5 if self.actor == "ball" else 1.0)
        if self.actor == "bird":
            wave = self.uniform(0.0, 0.2) * np.sin(TAU * self.uniform(0.01, 0.04) * self.t)
            up = wave + self.uniform(-0.03, 0.03) * self.t
            cadence = 0.0 if self.rng.random() < 0.3 else self.uniform(0.1, 0.22)
            return self.motion(action, "air", phase=cadence * self.t, travel=speed * self.t, up=up)
        period = max(24.0, frames * self.uniform(1.0, 1.8))
        u = np.mod(self.t / period + self.uniform(0.35, 0.65), 1.0)
        height = self.uniform(1.2, 2.5) if self.actor == "ball" else self.uniform(0.5, 1.0)
        up = 4.0 * height * u * (1.0 - u)
        slope = np.arctan2(np.gradient(up), speed) if frames > 1 else self.zero
        spin = -0.5 * slope if self.actor == "car" else self.zero
        return self.motion(action, "air", travel=speed * self.t, up=up, spin=spin)


def fold(way: Track, start: float, span: float) -> tuple[Track, Track]:
    """Walk to and fro between -span/2 and span/2.

    Args:
        way: (T,) signed way along an endless line; 0 is the middle.
        start: Facing (1 or -1) while not turned round.
        span: Room [same unit].

    Returns:
        Position (T,) and facing (T,) in [-1, 1], never nearer to 0 than 0.2: a turn takes a few
        frames, and a figure seen exactly edge-on would have no way back to its pixels.
    """
    u = np.mod(way / span + 0.5, 2.0)
    position = span * (np.where(u < 1.0, u, 2.0 - u) - 0.5)
    turned = np.where(u < 1.0, 1.0, -1.0)
    if np.all(turned == turned[0]):
        return position, np.full(len(way), start * turned[0])
    kernel = np.ones(5) / 5
    padded = np.concatenate([turned[:1]] * 2 + [turned] + [turned[-1:]] * 2)
    soft = np.convolve(padded, kernel, mode="valid")
    soft = np.where(np.abs(soft) < 0.2, np.where(soft < 0, -0.2, 0.2), soft)
    return position, start * soft
