"""Words with a fixed part in a sentence: colours, places, prepositions, auxiliaries."""

from actseg_core.text.colours import BASIC_COLOURS, COLOUR_WORDS, COLOURFUL


def _spread(text: str) -> dict[str, str]:
    """ "a: b c" lines as {"a": "a", "b": "a", "c": "a"}."""
    return {
        word.replace("_", " "): name
        for name, _, words in (line.strip().partition(":") for line in text.strip().splitlines())
        for word in (name, *words.split())
    }


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLOURS = {
    word: BASIC_COLOURS[int(shares.argmax())] for word, shares in COLOUR_WORDS.items()
} | dict.fromkeys(("colourful", "colorful", "coloured", "colored", "multicolored"), COLOURFUL)
"""What basic colour a word is nearest to; "colourful" for those that say no single one."""
PLAIN_COLOURS = frozenset(BASIC_COLOURS) - {"orange"} | {"gray"}
"""Colours that are hardly ever said of a thing (an orange, a salmon)."""
SHADES = _spread("""
    dark: darker deep
    light: lighter pale
    bright: vivid neon fluorescent
    striped: stripe stripes stripy striping
    spotted: spots speckled dotted
    checked: checkered chequered plaid tartan
    patterned: floral camouflage camo
""")
# Region of a person on which something is worn or grows; other garments are on the upper half.
REGIONS = _spread("""
    head: hair hat cap helmet hood beard moustache mustache face glasses sunglasses goggles mask
    lower: pants trousers jeans shorts skirt leggings tights trunks pant jean short legs leg kilt
    feet: shoes shoe boots boot sneakers sneaker socks sock sandals sandal skates skate slippers
    whole: dress suit costume uniform clothes clothing clothe outfit robe gown jumpsuit coat gear
    upper: shirt t-shirt top jacket vest sweater hoodie jersey blouse tie scarf gloves sleeves
""")
REGIONS |= _spread("""
    head: head headband turban wig hairs ponytail eyes ears visor bandana veil crown mane beak
    whole: attire tracksuit overalls wetsuit kimono bikini swimsuit diaper pajama pajamas apron
    whole: spacesuit robes onesie costumes suits uniforms fur feathers skin leotard swimwear
    upper: tee sweatshirt cardigan bra undershirt tank_top polo arms arm chest tshirt cover sweater
    upper: pullover blazer waistcoat singlet tunic tops kit strap bib armband glove
    lower: thong underwear bottoms slacks tail
""")
# One name for the forms of one garment.
ONE_GARMENT = {
    **dict.fromkeys(("t-shirt", "tshirt", "tee", "shirts", "tshirts", "t-shirts"), "shirt"),
    **{"short": "shorts", "pant": "pants", "jean": "jeans", "shoe": "shoes", "boot": "boots"},
    **{"sneaker": "sneakers", "sock": "socks", "sandal": "sandals", "skate": "skates"},
    **{"leg": "legs", "arm": "arms", "hairs": "hair", "clothing": "clothes", "suits": "suit"},
    **{"glove": "gloves", "pajama": "pajamas", "uniforms": "uniform", "clothe": "clothes"},
}
# Adjectives of those who do not wear something.
BARE = dict.fromkeys(("shirtless", "topless", "barechested", "bare-chested"), "shirt")
PLACES = _spread("""
    left: lefthand left-hand
    right: righthand right-hand
    middle: center centre central
    top: upper
    bottom: lower
    front: foreground forefront
    back: background rear
    leftmost: left-most
    rightmost: right-most
    topmost: uppermost highest
    bottommost: lowest
    nearest: closest nearer closer
    farthest: furthest farther further distant
    biggest: largest bigger larger
    smallest: littlest tiniest smaller
    tallest: taller
    big: large huge giant
    small: little tiny
    tall:
""")
SIDES = _words("left right middle top bottom front back")
SIZES = _words("biggest smallest tallest big small tall nearest farthest")
FAR = {"left": "leftmost", "right": "rightmost", "top": "topmost", "bottom": "bottommost"}
UTMOST = _words("far very most extreme")
PLACE_NOUNS = _words("side corner hand edge end part half area")
FRAME_WORDS = _words("picture image frame screen scene video photo camera view shot")
ORDINALS = {
    word: rank
    for rank, words in enumerate(("first 1st", "second 2nd", "third 3rd", "fourth 4th forth"), 1)
    for word in words.split()
}
NUMBERS = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1
    )
} | {"both": 2}
DETERMINERS = _words(
    "a an the this that these those some any each every all my your his her its their our "
    "another other same several many few"
)
POSSESSIVES = _words("my your his her its their our whose")
PRONOUNS = _words(
    "he she it they him them someone somebody anyone anybody everyone everybody something one "
    "ones who himself herself itself themselves"
)
OPPOSITES = ({"up", "down"}, {"left", "right"}, {"forward", "backward"}, {"towards", "away"})
# Second nouns that say nothing.
REFERRING = _words(
    "something anything things thing it him her them itself himself herself themselves each other"
)
RELATIVES = _words("who that which whom whose")
AUXILIARIES = _words(
    "is are was were be been being am 's has have had does do did can could will would may "
    "might must should going gets got getting"
)
LIGHT_VERBS = _words("have take do make give perform go")
RESTS = _words("rest nap sleep")  # "having a rest"
STARTING_VERBS = _words("start begin try keep continue stop attempt want")
PERCEPTIONS = _words("watch see hear let help make")  # "watching a car drive"
NEGATIONS = _words("not no never without nobody none neither nor n't nothing except")
CONJUNCTIONS = _words("and or but while as then & plus")
ADVERBS = _words(
    "so too quite just still also now currently only really again together "
    "forward forwards ahead backward backwards upward upwards downward downwards"
)
PREPOSITIONS = _words(
    "in on at with of to from by near beside besides behind under over above below between "
    "among into onto through across along around past towards toward off inside outside "
    "against up down out beneath underneath amid after before for during about without "
    "opposite within upon via beyond away alongside like than"
)
# Longer prepositions, and the relation that each stands for.
PHRASAL = {
    ("next", "to"): "next to",
    ("next",): "next to",
    ("close", "to"): "near",
    ("closest", "to"): "near",
    ("nearest", "to"): "near",
    ("in", "front", "of"): "in front of",
    ("in", "the", "front", "of"): "in front of",
    ("in", "back", "of"): "behind",
    ("in", "the", "middle", "of"): "in",
    ("in", "between"): "between",
    ("on", "top", "of"): "on",
    ("on", "the", "top", "of"): "on",
    ("at", "the", "top", "of"): "on",
    ("on", "the", "back", "of"): "on",
    ("together", "with"): "with",
    ("along", "with"): "with",
    ("left", "of"): "left of",
    ("right", "of"): "right of",
    ("out", "of"): "out of",
    ("away", "from"): "away from",
    ("away",): "away from",
    ("beside",): "next to",
    ("besides",): "next to",
    ("alongside",): "next to",
    ("towards",): "towards",
    ("toward",): "towards",
    ("into",): "into",
    ("onto",): "on",
    ("upon",): "on",
    ("beneath",): "under",
    ("underneath",): "under",
    ("nearby",): "near",
    ("inside",): "in",
    ("within",): "in",
}
# "On the left of the dog" and the like, as other words say it.
SIDE_RELATIONS = {"front of": "in front of", "back of": "behind", "middle of": "in"}
SIDE_RELATIONS |= {"top of": "on", "bottom of": "under"}
CAMERA = _words("camera us me viewer")
WEARING = _words("wear dress")  # with "in" or an object: clothes
COMMANDS = _words(
    "find show mark follow track look see segment select locate search watch point where "
    "please detect highlight get give me us for there here you i want to can could the is are "
    "at"
)
# Singular in form, several in fact.
COLLECTIVES = _words("people police cattle ones they them crowd couple team family audience folks")
GROUPS = _words("group pair herd flock bunch couple crowd pack lot set row line team")
DIRECTIONS = _spread("""
    left: leftward leftwards
    right: rightward rightwards
    up: upward upwards upstairs uphill
    down: downward downwards downstairs downhill
    forward: forwards ahead
    backward: backwards
    away:
    towards: toward
""")
