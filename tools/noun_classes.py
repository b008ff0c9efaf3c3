"""ImageNet's 1,000 and COCO's 80 classes on WordNet's hierarchy, and what kind a noun is."""

from collections import defaultdict
from functools import cache
from pathlib import Path

from wordnet import Part

# COCO's 80 classes in their order: name, then the WordNet senses that it covers ("dog 1" is the
# first sense of dog). COCO's boats are ships, too; its cows are cattle; potted plants and stop
# signs have no entry.
COCO = """
person: person 1, operator 2 | bicycle: bicycle 1 | car: car 1 |
motorcycle: motorcycle 1, moped 1, motor_scooter 1 | airplane: airplane 1 | bus: bus 1 |
train: train 1, locomotive 1, railcar 1, streetcar 1 | truck: truck 1 |
boat: boat 1, vessel 2 | traffic light: traffic_light 1 | fire hydrant: fireplug 1 |
stop sign: | parking meter: parking_meter 1 | bench: bench 1 | bird: bird 1 |
cat: domestic_cat 1 | dog: dog 1 | horse: horse 1 | sheep: sheep 1 | cow: cattle 1 |
elephant: elephant 1 | bear: bear 1 | zebra: zebra 1 | giraffe: giraffe 1 |
backpack: backpack 1 | umbrella: umbrella 1 | handbag: bag 4 | tie: necktie 1 |
suitcase: bag 6, baggage 1 | frisbee: frisbee 1 | skis: ski 1 | snowboard: snowboard 1 |
sports ball: ball 1, ball 6 | kite: kite 3 | baseball bat: bat 5, baseball_bat 1 |
baseball glove: baseball_glove 1 | skateboard: skateboard 1 | surfboard: surfboard 1 |
tennis racket: tennis_racket 1, racket 4 | bottle: bottle 1 |
wine glass: wineglass 1, goblet 1 | cup: cup 1, mug 4 | fork: fork 1 | knife: knife 1 |
spoon: spoon 1 | bowl: bowl 1, bowl 3 | banana: banana 2 | apple: apple 1 |
sandwich: sandwich 1 | orange: orange 1 | broccoli: broccoli 2 | carrot: carrot 1, carrot 3 |
hot dog: hotdog 2, frank 2 | pizza: pizza 1 | donut: doughnut 2 | cake: cake 3 |
chair: chair 1 | couch: sofa 1 | potted plant: pot_plant 1 | bed: bed 1 |
dining table: table 2, table 3 | toilet: toilet 2 | tv: television_receiver 1 |
laptop: laptop 1 | mouse: mouse 4 | remote: remote_control 1 |
keyboard: keyboard 1, computer_keyboard 1 | cell phone: telephone 1 | microwave: microwave 2 |
oven: oven 1, stove 1 | toaster: toaster 2 | sink: sink 1 | refrigerator: refrigerator 1 |
book: book 1, book 2 | clock: clock 1, watch 1 | vase: vase 1 | scissors: scissors 1 |
teddy bear: teddy 1 | hair drier: hand_blower 1 | toothbrush: toothbrush 1
"""
# The first that is above a sense says what it is. Names are "lemma sense".
ROOTS = (
    *(("person", name) for name in ("person 1", "homo 2", "operator 2")),
    ("animal", "animal 1"),
    *(("vehicle", name) for name in ("conveyance 3", "wheeled_vehicle 1")),
    *(("garment", name) for name in ("clothing 1", "footwear 1", "footwear 2", "jewelry 1")),
    *(
        ("garment", name)
        for name in ("necktie 1", "eyeglasses 1", "helmet 1", "helmet 2", "outfit 2")
    ),
    *(("body", name) for name in ("body_part 1", "body_covering 1", "body 1")),
    *(("place", name) for name in ("structure 1", "way 6", "location 1", "land 4", "room 1")),
    *(("place", name) for name in ("geological_formation 1", "body_of_water 1", "surface 1")),
    *(("place", name) for name in ("woody_plant 1", "gramineous_plant 1", "precipitation 3")),
    *(("place", name) for name in ("atmosphere 5", "facility 1", "floor_cover 1", "fabric 1")),
    *(("thing", name) for name in ("artifact 1", "food 1", "food 2", "plant 2", "fruit 1")),
    ("place", "matter 3"),
    ("place", "natural_object 1"),
    ("thing", "object 1"),
)
SEEN = ("person", "animal", "vehicle", "garment", "body", "place", "thing")
SEEN_ANYHOW = 0.05  # of a hyponym that the tagged texts never use


class Classes:
    """The two sets of classes on the hierarchy.

    Args:
        nouns: WordNet's nouns.
        synsets: ImageNet's ids ("n02084071") in the order of its classes.

    Attributes:
        imagenet_of: ImageNet class of a synset.
        coco_of: COCO class of a synset; several synsets may have the same.
        coco_names: Of the 80 classes.
    """

    def __init__(self, nouns: Part, synsets: list[str]) -> None:
        self.nouns = nouns
        self.imagenet_of = {int(name[1:]): index for index, name in enumerate(synsets)}
        self.coco_names: list[str] = []
        self.coco_of: dict[int, int] = {}
        for index, entry in enumerate(COCO.replace("\n", " ").split("|")):
            name, _, senses = entry.strip().partition(":")
            self.coco_names.append(name)
            for sense in filter(None, (part.strip() for part in senses.split(","))):
                self.coco_of[self.offset(sense)] = index
        self._imagenet_below = self._below(self.imagenet_of)
        self._coco_below = self._below(self.coco_of)
        self._roots = [(role, self.offset(name)) for role, name in ROOTS]

    def offset(self, sense: str) -> int:
        """Synset of "lemma number"."""
        lemma, number = sense.split()
        return self.nouns.senses[lemma][int(number) - 1]

    @cache  # noqa: B019
    def role(self, offset: int) -> str:
        """What a synset is: a role of ROOTS, or "none"."""
        above = set(self.nouns.ancestors(offset))
        return next((role for role, root in self._roots if root in above), "none")

    def imagenet_below(self, offset: int) -> set[int]:
        """ImageNet classes that are a synset or lie below it."""
        return self._imagenet_below.get(offset, set())

    def coco(self, offset: int) -> set[int]:
        """The COCO class at or above a synset, otherwise all those below it."""
        named = (self.coco_of[o] for o in self.nouns.ancestors(offset) if o in self.coco_of)
        found = next(named, None)
        return self._coco_below.get(offset, set()) if found is None else {found}

    def imagenet_above(self, offset: int) -> set[int]:
        """The ImageNet class nearest above a synset."""
        above = self.nouns.ancestors(offset)
        return set([self.imagenet_of[o] for o in above if o in self.imagenet_of][:1])

    @cache  # noqa: B019
    def coverage(self, offset: int) -> float:
        """Share [0, 1] of what is below a synset, as often as texts name it, that has a class."""
        total = named = 0.0
        for below in self.nouns.descendants(offset)[1:]:
            count = self.nouns.sense_count(below) + SEEN_ANYHOW
            total += count
            named += count * any(
                o in self.imagenet_of or o in self.coco_of for o in self.nouns.ancestors(below)
            )
        return named / total if total else 0.0

    def _below(self, class_of: dict[int, int]) -> dict[int, set[int]]:
        below = defaultdict(set)
        for offset, index in class_of.items():
            for above in self.nouns.ancestors(offset):
                below[above].add(index)
        return dict(below)


def read_imagenet(folder: Path) -> tuple[list[str], list[str]]:
    """Ids of the 1,000 classes in order, and a short name for each.

    Args:
        folder: timm/data/_info, with imagenet_synsets.txt and imagenet_synset_to_lemma.txt.
    """
    synsets = (folder / "imagenet_synsets.txt").read_text().split()
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines()
    names = dict(line.split("\t") for line in lines)
    return synsets, [names[name].split(",")[0].strip() for name in synsets]
