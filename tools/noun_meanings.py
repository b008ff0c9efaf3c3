"""Which ImageNet and COCO classes the senses of a noun stand for, by WordNet's hierarchy."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from wordnet import Part

IMAGENET = 1000
# COCO's 80 classes in their order: name, then the WordNet senses that it covers ("dog 1" is the
# first sense of dog). COCO's boats are ships, too; its cows are cattle; potted plants and stop
# signs have no entry.
COCO = """
person: person 1, people 1 | bicycle: bicycle 1 | car: car 1 | motorcycle: motorcycle 1, moped 1,
motor_scooter 1 | airplane: airplane 1 | bus: bus 1 | train: train 1, locomotive 1,
railcar 1, streetcar 1 | truck: truck 1 | boat: boat 1, vessel 2 | traffic light: traffic_light 1 |
fire hydrant: fireplug 1 | stop sign: | parking meter: parking_meter 1 |
bench: bench 1 | bird: bird 1 | cat: domestic_cat 1 | dog: dog 1 | horse: horse 1 |
sheep: sheep 1 | cow: cattle 1 | elephant: elephant 1 | bear: bear 1 | zebra: zebra 1 |
giraffe: giraffe 1 | backpack: backpack 1 | umbrella: umbrella 1 | handbag: bag 4 |
tie: necktie 1 | suitcase: bag 6, baggage 1 | frisbee: frisbee 1 | skis: ski 1 |
snowboard: snowboard 1 |
sports ball: ball 1, ball 6 | kite: kite 3 | baseball bat: bat 5, baseball_bat 1 |
baseball glove: baseball_glove 1 | skateboard: skateboard 1 | surfboard: surfboard 1 |
tennis racket: tennis_racket 1, racket 4 | bottle: bottle 1 | wine glass: wineglass 1, goblet 1 |
cup: cup 1, mug 4 | fork: fork 1 | knife: knife 1 | spoon: spoon 1 | bowl: bowl 1, bowl 3 |
banana: banana 2 | apple: apple 1 | sandwich: sandwich 1 | orange: orange 1 |
broccoli: broccoli 2 | carrot: carrot 1, carrot 3 | hot dog: hotdog 2, frank 2 |
pizza: pizza 1 | donut: doughnut 2 | cake: cake 3 | chair: chair 1 | couch: sofa 1 |
potted plant: pot_plant 1 | bed: bed 1 | dining table: table 2, table 3 | toilet: toilet 2 |
tv: television_receiver 1 | laptop: laptop 1 | mouse: mouse 4 | remote: remote_control 1 |
keyboard: keyboard 1, computer_keyboard 1 | cell phone: telephone 1 | microwave: microwave 2 |
oven: oven 1, stove 1 | toaster: toaster 2 | sink: sink 1 | refrigerator: refrigerator 1 |
book: book 1, book 2 | clock: clock 1, watch 1 | vase: vase 1 | scissors: scissors 1 |
teddy bear: teddy 1 | hair drier: hand_blower 1 | toothbrush: toothbrush 1
"""
# The first that is above a sense says what it is. Names are "lemma sense".
ROOTS = (
    *(("person", name) for name in ("person 1", "people 1", "homo 2")),
    ("animal", "animal 1"),
    *(("vehicle", name) for name in ("conveyance 3", "wheeled_vehicle 1")),
    *(("garment", name) for name in ("clothing 1", "footwear 1", "footwear 2", "jewelry 1")),
    *(("garment", name) for name in ("necktie 1", "eyeglasses 1", "helmet 2", "outfit 2")),
    *(("body", name) for name in ("body_part 1", "body_covering 1", "body 1")),
    *(("place", name) for name in ("structure 1", "way 6", "location 1", "land 4", "room 1")),
    *(("place", name) for name in ("geological_formation 1", "body_of_water 1", "surface 1")),
    *(("place", name) for name in ("woody_plant 1", "gramineous_plant 1", "precipitation 3")),
    *(("place", name) for name in ("atmosphere 5", "facility 1", "floor_cover 1", "fabric 1")),
    *(("thing", name) for name in ("artifact 1", "food 1", "food 2", "plant 2", "fruit 1")),
    ("place", "matter 3"),
    ("thing", "object 1"),
)
SEEN = ("person", "animal", "vehicle", "garment", "body", "place", "thing")
# How much likelier a robot's operator means such a sense than running text does.
FAVOUR = {"animal": 5.0, "vehicle": 4.0, "person": 2.0, "thing": 1.0, "garment": 2.0}
FAVOUR |= {"body": 1.0, "place": 0.7, "none": 0.5}
NAMED_FAVOUR = 6.0  # a class bears this very meaning
LEAST_SHARE = 0.3  # senses below this share of the first one's score are left out
CLIMB_LIMIT = 12  # an ancestor with more classes below says too little
CLIMBED = 0.6
YOUNG = re.compile(
    r"^(?:an? )?(?:young|immature|adult|mature|male|female)(?: \w+)? (?:of )?(?:an? )?"
    r"(?:domestic )?([a-z]+)"
)


@dataclass(frozen=True)
class Meaning:
    """What a noun stands for.

    Attributes:
        imagenet: Weight by class.
        coco: Weight by class.
        role: One of SEEN or "none".
        known: In [0, 1].
    """

    imagenet: dict[int, float] = field(default_factory=dict)
    coco: dict[int, float] = field(default_factory=dict)
    role: str = "none"
    known: float = 0.0


class Classes:
    """The two sets of classes on WordNet's hierarchy.

    Args:
        nouns: WordNet's nouns.
        synsets: ImageNet's ids ("n02084071") in the order of its classes.
    """

    def __init__(self, nouns: Part, synsets: list[str]) -> None:
        self.nouns = nouns
        self.below: dict[int, set[int]] = defaultdict(set)
        self.class_of = {int(name[1:]): index for index, name in enumerate(synsets)}
        for offset, index in self.class_of.items():
            for above in nouns.ancestors(offset):
                self.below[above].add(index)
        self.coco_names: list[str] = []
        self.coco_of: dict[int, int] = {}
        self.coco_below: dict[int, set[int]] = defaultdict(set)
        for index, entry in enumerate(COCO.replace("\n", " ").split("|")):
            name, _, senses = entry.strip().partition(":")
            self.coco_names.append(name)
            for sense in filter(None, (part.strip() for part in senses.split(","))):
                self.coco_of[self.offset(sense)] = index
                for above in nouns.ancestors(self.offset(sense)):
                    self.coco_below[above].add(index)
        self.roots = [(role, self.offset(name)) for role, name in ROOTS]

    def offset(self, sense: str) -> int:
        """Offset of "lemma number"."""
        lemma, number = sense.split()
        return self.nouns.senses[lemma][int(number) - 1]

    @cache  # noqa: B019
    def role(self, offset: int) -> str:
        """What a sense is: one of SEEN, or "none"."""
        above = set(self.nouns.ancestors(offset))
        return next((role for role, root in self.roots if root in above), "none")

    @cache  # noqa: B019
    def of_sense(self, offset: int) -> Meaning:
        """The classes of one sense, each of weight 1 (CLIMBED where an ancestor was needed)."""
        role, above = self.role(offset), self.nouns.ancestors(offset)
        coco = next(({self.coco_of[o]: 1.0} for o in above if o in self.coco_of), {})
        coco = coco or dict.fromkeys(self.coco_below.get(offset, ()), 1.0)
        imagenet = dict.fromkeys(self.below.get(offset, ()), 1.0)
        if not imagenet:
            imagenet = next(({self.class_of[o]: 1.0} for o in above if o in self.class_of), {})
        known = 1.0 if imagenet or coco else 0.0
        if not imagenet and role in ("animal", "vehicle", "thing"):
            imagenet = self._climb(above, {o for o in above if o in self.coco_of})
            known = max(known, CLIMBED if imagenet else 0.0)
        if not known and (other := self._genus(offset)) is not None:
            return self.of_sense(other)
        return Meaning(imagenet, coco, role, known)

    def _climb(self, above: list[int], within: set[int]) -> dict[int, float]:
        """Classes below the nearest ancestor that has any; all of them if COCO names it."""
        for offset in above[1:5]:
            members = self.below.get(offset, ())
            if members:
                named = bool(within & set(self.nouns.ancestors(offset)))
                few = len(members) <= CLIMB_LIMIT
                return dict.fromkeys(members, CLIMBED) if named or few else {}
        return {}

    def _genus(self, offset: int) -> int | None:
        """ "young domestic cat" is a cat, though WordNet puts kittens below young mammals."""
        found = YOUNG.match(self.nouns.synsets[offset].gloss)
        if self.role(offset) != "animal" or not found:
            return None
        for other in self.nouns.senses.get(found[1], ()):
            if other != offset and self.role(other) == "animal":
                return other
        return None

    def of_lemma(self, lemma: str, chosen: dict[int, float] | None = None) -> Meaning:
        """The senses of a lemma, weighted; `chosen` gives weights by number instead."""
        senses = self.nouns.senses[lemma]
        if chosen is None:
            chosen = self._weigh(lemma)
        merged = Meaning()
        for number, weight in sorted(chosen.items(), key=lambda item: -item[1]):
            one = self.of_sense(senses[number - 1])
            merged = Meaning(
                _union(merged.imagenet, one.imagenet, weight),
                _union(merged.coco, one.coco, weight),
                one.role if merged.role == "none" else merged.role,
                max(merged.known, one.known * weight),
            )
        return merged

    def _weigh(self, lemma: str) -> dict[int, float]:
        scores = {}
        senses = self.nouns.senses[lemma]
        for number, offset in enumerate(senses, 1):
            if self.nouns.synsets[offset].is_name:
                continue
            score = (self.nouns.counts.get((lemma, number), 0) + 1.0) / number
            score *= FAVOUR[self.role(offset)]
            if offset in self.class_of or offset in self.coco_of:
                score *= NAMED_FAVOUR
            scores[number] = score
        best = max(scores, key=lambda number: scores[number], default=0)
        role = self.role(senses[best - 1]) if best else "none"
        return {
            number: score / scores[best]
            for number, score in scores.items()
            if score >= LEAST_SHARE * scores[best]
            and (self.role(senses[number - 1]) == role or senses[number - 1] in self.class_of)
        }


def _union(one: dict[int, float], other: dict[int, float], weight: float) -> dict[int, float]:
    merged = dict(one)
    for index, value in other.items():
        merged[index] = max(merged.get(index, 0.0), value * weight)
    return merged


def read_imagenet(folder: Path) -> tuple[list[str], list[str]]:
    """Ids of the 1,000 classes in order, and a short name for each.

    Args:
        folder: timm/data/_info, with imagenet_synsets.txt and imagenet_synset_to_lemma.txt.
    """
    synsets = (folder / "imagenet_synsets.txt").read_text().split()
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines()
    names = dict(line.split("\t") for line in lines)
    return synsets, [names[name].split(",")[0].strip() for name in synsets]
