"""How large and how good the pictures for one browser are: as its connection allows."""

from dataclasses import dataclass

SLOW_S = 0.3
FAST_S = 0.12
TRIES = 20
MOST_TRIES = 320


@dataclass(frozen=True)
class Quality:
    """Of a JPEG.

    Attributes:
        side_px: Longest side [px], at most.
        jpeg: OpenCV's quality, 0 to 100.
    """

    side_px: int
    jpeg: int


STEPS = (Quality(4096, 88), Quality(960, 78), Quality(640, 68), Quality(480, 55), Quality(320, 40))


class QualityControl:
    """Chooses one of STEPS by how long pictures take until they are drawn.

    A slow picture is followed by smaller ones at once. After a row of fast ones larger ones are
    tried; where that fails, twice as long a row is wanted the next time.
    """

    def __init__(self) -> None:
        self._step = 0
        self._fast = 0
        self._wanted = TRIES
        self._just_raised = False

    @property
    def quality(self) -> Quality:
        """For the next picture."""
        return STEPS[self._step]

    def drawn_after(self, seconds: float, quality: Quality) -> None:
        """A picture has been drawn.

        Args:
            seconds: From sending to the browser's word [s].
            quality: That it was sent with; one of an older choice says nothing.
        """
        if quality != self.quality:
            return
        if seconds > SLOW_S:
            if self._just_raised:
                self._wanted = min(2 * self._wanted, MOST_TRIES)
            self._step = min(self._step + 1, len(STEPS) - 1)
            self._fast, self._just_raised = 0, False
            return
        self._fast = self._fast + 1 if seconds < FAST_S else 0
        if self._fast >= self._wanted and self._step:
            self._step -= 1
            self._fast, self._just_raised = 0, True
        elif self._fast >= self._wanted:
            self._just_raised = False
