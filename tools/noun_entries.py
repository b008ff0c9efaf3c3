"""The nouns of the table: words of the vocabulary, plurals, compounds, and what WordNet lacks."""

from collections.abc import Container, Iterable, Iterator, Sequence

import wordnet
from noun_classes import Classes
from noun_meanings import Meaning, Meanings

# Senses chosen by hand where neither frequency nor word vectors find the one that a robot's
# operator means, with their weights.
CHOSEN: dict[str, dict[int, float]] = {
    "adult": {1: 1.0},  # of people
    "alpaca": {3: 1.0},  # not its wool
    "bat": {1: 1.0, 5: 0.8},  # the club has a COCO class, the animal none
    "bike": {2: 1.0, 1: 0.6},  # a bicycle first, WordNet says a motorcycle
    "boxer": {1: 1.0, 4: 0.6},  # a person first, then the breed of dogs
    "chicken": {2: 1.0},  # the bird, not its meat
    "crane": {5: 1.0, 4: 0.8},  # the bird and the machine
    "engine": {1: 1.0},  # no locomotive
    "digger": {2: 1.0},  # the machine, as the next
    "excavator": {2: 1.0},
    "football": {2: 1.0},  # the ball, not the game
    "game": {1: 1.0},  # no animals
    "glass": {2: 1.0},  # to drink from, not the material
    "kite": {3: 1.0},  # on a string, not the hawk
    "mouse": {4: 1.0, 1: 0.6},  # the computer's has a COCO class, of the animal only kin
    "plant": {2: 1.0},  # not the factory
    "pot": {1: 1.0},  # not the toilet
    "scooter": {3: 1.0, 2: 0.8},  # not the water scooter
    "seal": {9: 1.0},  # the animal, not the wax
    "skate": {1: 1.0},  # not the fish
    "target": {1: 1.0},  # no person
    "toy": {1: 1.0},  # no breed of dogs
    "wheel": {1: 1.0},  # no bicycle
    "van": {5: 1.0},  # not the railway's
}
# Words for people that WordNet takes for groups, pronouns or nothing.
PEOPLE = """
somebody someone anybody anyone everybody everyone people folks crowd couple team family police
audience band who pedestrian human biker motorcyclist rollerblader windsurfer kitesurfer he she him
her they them mom mum dad mama papa spiderman superman santa
"""
ANYTHING = "one ones thing things something anything object it this"
# Words that WordNet lacks because they are newer, names of makes, or spelled together, and the
# noun that says the same. WordNet's "vehicle" leaves out trains and buses.
SAME_AS = {
    "conveyance 3": "vehicle vehicles transport",
    "car 1": "bmw audi mercedes porsche ferrari lamborghini toyota honda ford volkswagen nissan "
    "mazda volvo tesla fiat peugeot renault hyundai chevrolet chevy subaru camry jaguars",
    "person 1": "humans mankind",
    "racer 2": "racecar racecars",
    "truck 1": "lorry lorries",
    "fire_engine 1": "firetruck firetrucks",
    "motorcycle 1": "superbike harley vespa quad",
    "bicycle 1": "bmx ebike",
    "telephone 1": "smartphone smartphones iphone iphones",
    "laptop 1": "macbook imac",
    "labrador_retriever 1": "labrador labradors",
    "sweatshirt 1": "hoodie hoodies",
    "motor_scooter 1": "segway",
    "airship 1": "zeppelin",
    "balloon 1": "blimp",
    "parachute 1": "paraglider paragliders",
    "boat 1": "jetski",
    "puppy 1": "pup pups doggo",
    "go-kart 1": "gokart gokarts kart karts",
    "sweat_suit 1": "tracksuit tracksuits",
    "fireplug 1": "hydrant hydrants",
}


# Short for several classes of COCO.
SHORT_FOR = {
    "board": ("skateboard", "snowboard", "surfboard"),
    "boards": ("skateboard", "snowboard", "surfboard"),
    "sign": ("stop sign",),
    "signs": ("stop sign",),
}


class Entries:
    """Collects lemma and meaning of each noun.

    Args:
        meanings: Of WordNet's lemmas.
        vocabulary: Words with a vector, the most frequent first.
        adjectives: Words that can be adjectives.
    """

    def __init__(
        self, meanings: Meanings, vocabulary: Sequence[str], adjectives: Container[str]
    ) -> None:
        self.adjectives = adjectives
        self.meanings, self.nouns = meanings, meanings.nouns
        self.classes: Classes = meanings.classes
        self.vocabulary = vocabulary
        self.found: dict[str, tuple[str, Meaning]] = {}

    def collect(self) -> dict[str, tuple[str, Meaning]]:
        """Lemma and meaning by noun."""
        self._simple(self.vocabulary)
        self._simple(self._rare_actors())
        self._by_hand()
        self._coco_names()
        self._compounds()
        return self.found

    def _simple(self, words: Iterable[str]) -> None:
        for word in words:
            lemma = self._lemma(word)
            if word not in self.found and lemma is not None and len(word) > 1:
                self.found[word] = (lemma, self._meaning(lemma))

    def _meaning(self, lemma: str) -> Meaning:
        return self.meanings.of_lemma(lemma, CHOSEN.get(lemma))

    def _rare_actors(self) -> Iterator[str]:
        """Words for actors that have no vector, and all lemmas of classes."""
        for lemma, senses in self.nouns.senses.items():
            roles = {self.classes.role(offset) for offset in senses[:1]}
            named = any(offset in self.classes.imagenet_of for offset in senses)
            if lemma.isalpha() and (
                named or lemma in CHOSEN or roles & {"person", "animal", "vehicle", "thing"}
            ):
                yield lemma

    def _by_hand(self) -> None:
        person = Meaning({}, {0: 1.0}, "person", 1.0)
        every = Meaning(
            dict.fromkeys(range(1000), 1.0), dict.fromkeys(range(80), 1.0), "thing", 1.0
        )
        self.found |= {word: (word, person) for word in PEOPLE.split()}
        self.found |= {word: (word, every) for word in ANYTHING.split()}
        for sense, words in SAME_AS.items():
            for word in words.split():
                meaning = self.meanings.of_sense(self.classes.offset(sense), word)
                self.found[word] = (word, meaning)

        self.found |= {
            name: ("shirt", self._meaning("t-shirt"))
            for name in ("t shirt", "t shirts", "tee shirt")
        }

    def _coco_names(self) -> None:
        for index, name in enumerate(self.classes.coco_names):
            old = self.found.get(name, (name, Meaning()))[1]
            role = "thing" if old.role == "none" else old.role
            self.found[name] = (name, Meaning(old.imagenet, {index: 1.0}, role, 1.0))

        for word, names in SHORT_FOR.items():
            old = self.found[word][1]
            coco = {self.classes.coco_names.index(name): 1.0 for name in names}
            role = "thing" if old.role == "none" else old.role
            self.found[word] = (self.found[word][0], Meaning(old.imagenet, coco, role, 1.0))

    def _compounds(self) -> None:
        """Nouns of two or three words that mean something else than their last word."""
        known = set(self.vocabulary)
        for lemma, senses in self.nouns.senses.items():
            words = lemma.split("_")
            name = " ".join(words)
            if not 2 <= len(words) <= 3 or name in self.found:
                continue
            meaning = self._meaning(lemma)
            is_class = any(offset in self.classes.imagenet_of for offset in senses)
            wanted = is_class or (meaning.known > 0 and known.issuperset(words))
            literal = self.found.get(words[-1], ("", Meaning()))[1]
            if not is_class and words[0] in self.adjectives and not _is_a(meaning, literal):
                continue  # a black cat is a cat here, though WordNet knows it as a marten
            same = meaning == literal
            does = words[0].endswith("ing") and meaning.role != "thing" and not is_class
            if wanted and not does and (not same or words[0].endswith("ing")):
                self.found[name] = (name, meaning)  # a flying bird flies, a bowling ball does not

    def _lemma(self, word: str) -> str | None:
        """The noun that a word is a form of: itself or the singular."""
        singular = next(iter(wordnet.noun_lemmas(word, self.nouns)), None)
        if singular is None or word in self.nouns.forms:
            return singular or (word if word in self.nouns.senses else None)
        if word not in self.nouns.senses:
            return singular
        own, other = self._meaning(word).role, self._meaning(singular).role
        more = self.nouns.count(word) > self.nouns.count(singular)
        is_own = other == "none" if own != other else more  # "legs" are no staying power
        return word if own != "none" and (is_own or own == "garment") else singular


def _is_a(one: Meaning, other: Meaning) -> bool:
    """Whether all classes of one meaning are the other's, too."""
    return (
        one.role == other.role
        and one.imagenet.keys() <= other.imagenet.keys()
        and one.coco.keys() <= other.coco.keys()
    )
