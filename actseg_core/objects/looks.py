"""What an object looks like: colours of its regions, and how well a mention of a colour fits."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from actseg_core.errors import ShapeError
from actseg_core.objects.colour_names import ColourNamer, colour_table, skin_table
from actseg_core.text.colours import BASIC_COLOURS, COLOURFUL, REGIONS, SHADE_WORDS, ColourMention
from actseg_core.text.sentence_parts import Look

Array = NDArray[np.float32]
MAX_LOG_ODDS = 3.5  # never an absolute yes or no
PERSON = "person"
LEGS = (0.62, 0.93)  # of a person's height, from above
BARE_LEGS, BARE_BODY = 0.22, 0.25  # shares of skin from which a person wears shorts, no shirt
SHORT = frozenset(("shorts", "skirt", "kilt"))
LONG = frozenset(("trousers", "pants", "jeans", "leggings", "tights", "slacks"))
SHIRTS = frozenset(("shirt", "top"))
_TERMS = len(BASIC_COLOURS)
# Log-odds = offset + slope * log(share + floor) + readiness of the term, fitted.
_ONE = (7.7, 4.2)
_SEVERAL = (5.2, 3.7)
_FLOOR = 0.04
# Black, grey and brown are seen in nearly everything, orange and yellow in little.
_READINESS = np.array([-1.8, -0.6, -1.1, 0.5, 1.6, 1.6, 0.5, -0.4, 0.7, 0.3, -1.2], np.float32)
_SHADE_ODDS = {"dark": (-6.0, 12.0), "light": (-2.3, 10.6), "bright": (-2.3, 9.0)}
_VIVID = [
    BASIC_COLOURS.index(n) for n in BASIC_COLOURS if n not in ("black", "white", "grey", "brown")
]


def object_colours(
    image: NDArray[np.uint8],
    masks: Array,
    kinds: Sequence[str],
    namer: ColourNamer,
    cells: NDArray[np.int32] | None = None,
) -> Array:
    """Shares of the eleven basic colours in the regions of each object.

    Args:
        image: (S, S, 3) uint8 RGB, black where the frame is padded; S a multiple of 4.
        masks: (N, S/4, S/4) float32 probabilities of the pixels to belong to each object.
        kinds: N kinds; of a "person" skin is left out and hair counts little in "whole".
        namer: Names the colours.
        cells: Of `mask_cells`; None: computed here.

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
    both = _named_twice()[mask_cells(image, namer) if cells is None else cells]  # (H, W, 22)
    weight = _inside(masks).transpose(1, 0, 2)
    rows = np.matmul(weight, both).transpose(1, 0, 2)  # (N, H, 22)
    person = np.array([kind == PERSON for kind in kinds])
    own = np.where(person[:, None, None], rows[..., _TERMS:], rows[..., :_TERMS])
    shares: Array = np.matmul(region_rows(masks.sum(2), masks.sum(1), person), own)
    total: Array = shares.sum(2, keepdims=True)
    return np.divide(shares, total, out=np.zeros_like(shares), where=total > 1e-6)


def bare_skin(
    image: NDArray[np.uint8],
    masks: Array,
    namer: ColourNamer,
    cells: NDArray[np.int32] | None = None,
) -> Array:
    """How much of each object has the colour of skin: of all of it, and of the lower legs.

    Args:
        image: (S, S, 3) uint8 RGB.
        masks: (N, S/4, S/4) float32 probabilities.
        namer: Names the colours.
        cells: Of `mask_cells`; None: computed here.

    Returns:
        (N, 2) float32 shares.
    """
    if not len(masks):
        return np.zeros((0, 2), np.float32)
    skin = skin_table()[mask_cells(image, namer) if cells is None else cells]
    weight = _inside(masks)
    per_row, bare = weight.sum(axis=2), (weight * skin).sum(axis=2)
    top, bottom = _extent(masks.sum(axis=2))
    height = (np.arange(masks.shape[1]) + 0.5 - top) / np.maximum(bottom - top, 1.0)
    legs = (height > LEGS[0]) & (height < LEGS[1])
    return np.stack(
        [
            (bare * rows).sum(axis=1) / np.maximum((per_row * rows).sum(axis=1), 1e-6)
            for rows in (np.ones_like(legs), legs)
        ],
        axis=1,
    ).astype(np.float32)


def mask_cells(image: NDArray[np.uint8], namer: ColourNamer) -> NDArray[np.int32]:
    """The colour table's cell of each of the masks' cells, (S/4, S/4); see `ColourNamer.cells`."""
    size = (image.shape[1] // 4, image.shape[0] // 4)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return namer.cells(small)


def _inside(masks: Array) -> Array:
    """Masks without their rims, which are partly background."""
    return np.square(np.square(masks))


def garment_log_odds(look: Look, skin: Array) -> Array:
    """What bare skin says for shorts and skirts, against trousers, and for "shirtless".

    Slopes and bounds are set by judgement; garments that skin says nothing about give 0.

    Args:
        look: What the sentence says.
        skin: (N, 2) of `bare_skin`.

    Returns:
        (N,) float32 natural log-odds.
    """
    whole, legs = skin[:, 0], skin[:, 1]
    odds = np.zeros(len(skin), np.float32)
    if look.on in SHORT:
        odds = np.clip(10 * (legs - BARE_LEGS), -2.0, 2.0)
    elif look.on in LONG:
        odds = np.clip(10 * (BARE_LEGS - legs), -2.0, 0.5)
    elif look.on in SHIRTS and look.negated:
        return np.asarray(np.clip(14 * (whole - BARE_BODY), -2.5, 2.5), np.float32)
    return np.asarray(-odds if look.negated else odds, np.float32)


def skin_tells(look: Look) -> bool:
    """Whether `garment_log_odds` says anything of it."""
    return look.on in SHORT | LONG or (look.on in SHIRTS and look.negated)


@cache
def _named_twice() -> Array:
    """(cells, 22): memberships in the colours, and the same with skin left out; shared."""
    table = colour_table()
    bare = 1.0 - 0.92 * skin_table()
    return np.concatenate([table, table * bare[:, None]], 1)


def region_rows(per_row: Array, per_column: Array, person: NDArray[np.bool_]) -> Array:
    """How much each row of the picture counts for each region of an object.

    A person who is higher than wide stands: head, clothes above and clothes below share the
    height as in a grown-up. One who is nearly as wide as high sits or is cut off, and the
    clothes above reach lower.

    Args:
        per_row: (N, H) sum of the mask in each row.
        per_column: (N, W) sum of the mask in each column.
        person: (N,) whether the object is a person.

    Returns:
        (N, 5, H) float32 weights in [0, 1] in the order of REGIONS.
    """
    top, bottom = _extent(per_row)
    left, right = _extent(per_column)
    length = np.maximum(bottom - top, 1.0)
    height = (np.arange(per_row.shape[1], dtype=np.float32) + 0.5 - top) / length  # (N, H)
    tall = np.clip((length / np.maximum(right - left, 1.0) - 1.0) / 1.2, 0.0, 1.0)  # (N, 1)
    head_end = 0.30 - 0.17 * tall
    waist = 0.80 - 0.32 * tall
    head = _ramp(head_end - height, 0.02)
    lower = _ramp(height - waist, 0.09)
    feet = _ramp(height - 0.98 + 0.08 * tall, 0.03)
    below = np.clip((height - waist) / (1.0 - waist), 0.0, 1.0)
    of_person = (
        # What is worn above names a person ("in red") more than the trousers, hair least.
        1.0 - 0.85 * head - 0.4 * lower,
        _ramp(height - head_end - 0.04, 0.02) * (1.0 - lower),
        lower * (1.0 - feet) * (1.0 - 0.5 * below),  # shorts and skirts end early
        _ramp(0.65 * head_end - height, 0.02),  # hair and hats, not chins and collars
        feet,
    )
    of_thing = (np.ones_like(height), height < 0.5, height >= 0.5, height < 0.3, height >= 0.85)
    return np.where(person[:, None, None], np.stack(of_person, 1), np.stack(of_thing, 1)).astype(
        np.float32
    )


def _extent(profile: Array) -> tuple[Array, Array]:
    """(N, 1) first and last cells between which all but a hundredth of each mask (N, L) lies."""
    share = np.cumsum(profile, 1) / np.maximum(profile.sum(1, keepdims=True), 1e-6)
    first = (share < 0.005).sum(1, keepdims=True)
    last = (share < 0.995).sum(1, keepdims=True) + 1
    return first.astype(np.float32), last.astype(np.float32)


def _ramp(value: Array, width: float) -> Array:
    """0 below -width, 1 above width, even between."""
    ramp: Array = np.clip(value / (2 * width) + 0.5, 0.0, 1.0)
    return ramp


def looks_log_odds(mention: ColourMention, shares: Array) -> Array:
    """How much a mention of colours speaks for or against each object.

    Fitted to what a person called 111 objects of photographs, so that the odds are those of a
    colour word being said of an object that has these shares, against its not being said, both
    equally likely beforehand (docs/looks.md). "Bright" and "colourful" are set by judgement.

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
