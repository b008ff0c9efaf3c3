"""How verbs move, from a few verbs of each kind and what WordNet puts below them."""

from wordnet import Part

# Verbs whose first senses decide; what lies below them moves likewise.
SEEDS = {
    "still": "sit stand lie wait sleep rest lean pose stay remain park squat kneel crouch perch "
    "recline hang nap sunbathe",
    "slow": "walk crawl stroll limp march waddle creep tiptoe hike wander amble trudge shuffle",
    "fast": "run sprint race gallop dash rush speed chase jog hurry drift trot flee",
    "airborne": "fly soar glide hover flap",
    "jumping": "jump hop leap bounce dive skip vault somersault",
    "rolling": "roll spin rotate tumble flip",
    "climbing": "climb scale mount",
    "moving": "move go come drive ride travel pass cross enter leave approach follow return swim "
    "skate ski surf cycle bike sail slide fall drop dance exit advance turn",
    "acting": "eat drink play throw catch hit kick hold carry push pull wave clap talk shoot "
    "look watch read write brush pour pick lift swing point bite peck shake wear",
}
# Lexicographers' files: what a verb without a seed above it does.
DOMAINS = {38: "moving", 42: "still", 31: "still", 39: "still", 37: "still", 36: "acting"}
SENSES = 3


def motion_of_verbs(verbs: Part) -> dict[str, str]:
    """Kind of motion of each verb lemma."""
    of_word = {word: motion for motion, words in SEEDS.items() for word in words.split()}
    of_sense: dict[int, str] = {}
    for word, motion in of_word.items():
        for offset in verbs.senses[word][:1]:
            of_sense.setdefault(offset, motion)
    return {lemma: of_word.get(lemma) or _motion(lemma, verbs, of_sense) for lemma in verbs.senses}


def _motion(lemma: str, verbs: Part, of_sense: dict[int, str]) -> str:
    votes: dict[str, float] = {}
    for number, offset in enumerate(verbs.senses[lemma][:SENSES], 1):
        above = verbs.ancestors(offset)
        motion = next((of_sense[o] for o in above if o in of_sense), None)
        motion = motion or DOMAINS.get(verbs.synsets[offset].domain, "acting")
        votes[motion] = (
            votes.get(motion, 0.0) + (1 + verbs.counts.get((lemma, number), 0)) / number
        )
    return max(votes, key=lambda motion: votes[motion])
