"""What an object looks like: colours of its regions, and how well a mention of a colour fits."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.objects.colour_names import ColourNamer
from actseg_core.text.colours import BASIC_COLOURS, COLOURFUL, REGIONS, SHADE_WORDS, ColourMention

Array = NDArray[np.float32]
MAX_LOG_ODDS = 3.5  # never an absolute yes or no
PERSON = "person"
_TERMS = len(BASIC_COLOURS)
# Log-odds = offset + slope * log(share + floor) + readiness of the term, fitted.
_ONE = (7.8, 4.2)
_SEVERAL = (5.2, 3.7)
_FLOOR = 0.04
# Black, grey and brown are seen in nearly everything, orange and yellow in little.
_READINESS = np.array([-1.5, -0.7, -1.2, 0.5, 1.7, 1.6, 0.5, -0.3, 0.7, 0.0, -1.5], np.float32)
_SHADE_ODDS = {"dark": (-5.2, 10.5), "light": (-2.5, 10.5), "bright": (-2.5, 9.0)}
_VIVID = [
    BASIC_COLOURS.index(n) for n in BASIC_COLOURS if n not in ("black", "white", "grey", "brown")
]


def skin_likeness(image: NDArray[np.uint8]) -> Array:
    """How much each pixel's colour is that of skin, of any tone, 0 to 1.

    Skin of all tones has much the same ratios of the channels (haemoglobin and melanin both take
    blue away first, then green); only its brightness differs.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) float32.
    """
    logs = np.log(image.astype(np.float32) + 4.0)
    red_green = (logs[..., 0] - logs[..., 1] - 0.33) / 0.13
    green_blue = (logs[..., 1] - logs[..., 2] - 0.22) / 0.14
    dark = np.clip((image[..., 0].astype(np.float32) - 40.0) / 40.0, 0.0, 1.0)
    likeness: Array = np.exp(-0.5 * (red_green**2 + green_blue**2)) * dark
    return likeness


def object_colours(
    image: NDArray[np.uint8], masks: Array, kinds: Sequence[str], namer: ColourNamer
) -> Array:
    """Shares of the eleven basic colours in the regions of each object.

    Args:
        image: (S, S, 3) uint8 RGB, black where the frame is padded; S a multiple of 4.
        masks: (N, S/4, S/4) float32 probabilities of the pixels to belong to each object.
        kinds: N kinds; of a "person" skin is left out and hair counts little in "whole".
        namer: Names the colours.

    Returns:
        (N, 5, 11) float32: REGIONS (whole, upper, lower, head, feet) by BASIC_COLOURS. The shares
        of a region sum to 1, those of an empty region are 0.

    Raises:
        ShapeError: If the masks do not go with the image or with the kinds.
    """
    size = image.shape[0] // 4
    if masks.ndim != 3 or masks.shape[1:] != (size, image.shape[1] // 4):
        raise ShapeError(
            f"an image of {image.shape} goes with masks of (N, {size}, {image.shape[1] // 4}), "
            f"got {masks.shape}"
        )
    if len(kinds) != len(masks):
        raise ShapeError(f"{len(masks)} masks need as many kinds, got {len(kinds)}")
    if not len(masks):
        return np.zeros((0, len(REGIONS), _TERMS), np.float32)
    small = np.asarray(
        cv2.resize(image, (masks.shape[2], size), interpolation=cv2.INTER_AREA), np.uint8
    )
    named = namer(small)
    bare = 1.0 - 0.9 * skin_likeness(small)
    both = np.concatenate([named, named * bare[..., None]], 2)  # (H, W, 22)
    weight = np.square(np.square(masks)).transpose(1, 0, 2)  # the rim is partly background
    rows = np.matmul(weight, both).transpose(1, 0, 2)  # (N, H, 22)
    shares = np.zeros((len(masks), len(REGIONS), _TERMS), np.float32)
    for index, kind in enumerate(kinds):
        person = kind == PERSON
        own = rows[index, :, _TERMS:] if person else rows[index, :, :_TERMS]
        shares[index] = region_rows(masks[index].sum(1), masks[index].sum(0), person) @ own
    total: Array = shares.sum(2, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 1e-6)


def region_rows(per_row: Array, per_column: Array, person: bool) -> Array:
    """How much each row of the picture counts for each region of an object.

    A person who is higher than wide stands: head, clothes above and clothes below share the
    height as in a grown-up. One who is nearly as wide as high sits or is cut off, and the
    clothes above reach lower.

    Args:
        per_row: (H,) sum of the mask in each row.
        per_column: (W,) sum of the mask in each column.
        person: Whether the object is a person.

    Returns:
        (5, H) float32 weights in [0, 1] in the order of REGIONS.
    """
    top, bottom = _extent(per_row)
    left, right = _extent(per_column)
    height = (np.arange(len(per_row), dtype=np.float32) + 0.5 - top) / max(bottom - top, 1.0)
    if not person:
        parts = (height < 0.5, height >= 0.5, height < 0.3, height >= 0.85)
        return np.stack([np.ones_like(height), *parts]).astype(np.float32)
    tall = float(np.clip(((bottom - top) / max(right - left, 1.0) - 1.0) / 1.2, 0.0, 1.0))
    head_end = 0.30 - 0.17 * tall
    waist = 0.80 - 0.32 * tall
    feet_from = 0.98 - 0.08 * tall
    head = _ramp(-height, -head_end, 0.02)
    lower = _ramp(height, waist, 0.05)
    feet = _ramp(height, feet_from, 0.03)
    return np.stack(
        [
            # What is worn above names a person ("in red") more than the trousers, hair least.
            1.0 - 0.85 * head - 0.4 * lower,
            _ramp(height, head_end + 0.04, 0.02) * (1.0 - lower),
            lower * (1.0 - feet),
            _ramp(-height, -0.65 * head_end, 0.02),  # hair and hats, not chins and collars
            feet,
        ]
    ).astype(np.float32)


def _extent(profile: Array) -> tuple[float, float]:
    """First and last place [cells] between which all but a hundredth of the mask lies."""
    share = np.cumsum(profile) / max(float(profile.sum()), 1e-6)
    first, last = np.searchsorted(share, [0.005, 0.995])
    return float(first), float(last + 1)


def _ramp(value: Array, edge: float, width: float) -> Array:
    ramp: Array = np.clip((value - edge) / (2 * width) + 0.5, 0.0, 1.0)
    return ramp


def looks_log_odds(mention: ColourMention, shares: Array) -> Array:
    """How much a mention of colours speaks for or against each object.

    Fitted to what a person called 55 photographs' objects, so that the odds are those of a
    colour word being said of an object that has these shares, against its not being said, both
    equally likely beforehand (docs/looks.md).

    Args:
        mention: What the sentence says.
        shares: (N, 5, 11) float32 from `object_colours`.

    Returns:
        (N,) float32 natural log-odds in [-3.5, 3.5]; 0 where nothing is known of the region.
    """
    region = shares[:, REGIONS.index(mention.region)]  # (N, 11)
    if mention.colours is not None:
        odds = _colour_odds(mention.colours, region)
    elif mention.shade == COLOURFUL:
        vivid = region[:, _VIVID]
        odds = -2.0 + 7.0 * (vivid.sum(1) - vivid.max(1))  # what a second and third colour have
    else:
        offset, slope = _SHADE_ODDS[mention.shade or "light"]
        odds = offset + slope * (region @ SHADE_WORDS[mention.shade or "light"])
    odds = MAX_LOG_ODDS * np.tanh((-odds if mention.negated else odds) / MAX_LOG_ODDS)
    return np.where(region.sum(1) > 0.0, odds, 0.0).astype(np.float32)


def _colour_odds(colours: Array, region: Array) -> Array:
    """(N,) log-odds of all colours (K, 11) in a region (N, 11), before they are bounded."""
    common = np.minimum(region[None], colours[:, None]).sum(2)  # (K, N)
    # A word between several terms is not met by one of them alone: white is not yet beige.
    spread = np.minimum(1.0 / np.square(colours).sum(1), 2.0)
    common = common ** spread[:, None]
    count = len(colours)
    fit = count * np.exp(np.log(common + 1e-6).mean(0)) if count > 1 else common[0]
    offset, slope = _SEVERAL if count > 1 else _ONE
    odds: Array = offset + slope * np.log(fit + _FLOOR) + (colours @ _READINESS).mean()
    return odds
