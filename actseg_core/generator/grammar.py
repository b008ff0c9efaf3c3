"""Sentences: claims chosen so that they identify, then put into words as annotators do."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from actseg_core.generator.claims import Claim, maybe, surely
from actseg_core.generator.clip import ActorRecord, Distractor
from actseg_core.generator.looks import Look
from actseg_core.generator.palette import CLOTHES, SYNONYMS, pick
from actseg_core.generator.settings import HeldOut
from actseg_core.generator.words import (
    AIR_PLACES,
    HEADINGS,
    NOUNS,
    PLACES,
    SIDE_PHRASES,
    SIZE_PHRASES,
    VERBS,
    Noun,
    Verb,
)
from actseg_core.labels import ACTIONS, ACTORS, PAIRS

Word = TypeVar("Word", Noun, Verb)

Fact = Callable[[Claim], Claim]

USUAL: dict[str, float] = {
    "colour": 0.34,
    "second": 0.12,
    "size": 0.2,
    "side": 0.1,
    "action": 0.9,
    "heading": 0.12,
}
"""How often annotators mention what they need not."""

LENGTH = (6.9, 2.1)
"""Mean and deviation of a sentence's length [words] in A2D Sentences."""

CANDIDATES = 4


def true_sentences(
    actor: ActorRecord,
    everyone: Sequence[ActorRecord],
    place: str,
    count: int,
    held_out: HeldOut,
    max_words: int,
    rng: np.random.Generator,
) -> tuple[str, ...]:
    """Up to `count` different sentences that are true of one actor and of nobody else.

    Returns:
        Sentences in lower case; empty if nothing tells the actor from the others.
    """
    found: list[str] = []
    for _ in range(2 * count):
        wanted = float(rng.normal(*LENGTH))
        texts = []
        for _ in range(CANDIDATES):
            claim = identify(actor, everyone, held_out, rng)
            if claim is not None:
                texts.append(say(claim, place, held_out, rng, actor.posture, actor.airborne))
        fitting = [text for text in texts if len(text.split()) <= max_words and text not in found]
        if fitting:
            found.append(min(fitting, key=lambda text: abs(len(text.split()) - wanted)))
        if len(found) == count:
            break
    return tuple(found)


def identify(
    actor: ActorRecord,
    everyone: Sequence[ActorRecord],
    held_out: HeldOut,
    rng: np.random.Generator,
) -> Claim | None:
    """A claim that is surely true of the actor and not even maybe of another.

    Starts from what annotators usually mention and adds more only where that is ambiguous.
    """
    nouns = [noun for noun in NOUNS if _allowed(noun.held_out, held_out)]
    fitting = [noun for noun in nouns if surely(Claim(noun), actor)]
    claim = Claim(_weighted(fitting, rng))
    facts = _facts(actor, rng)
    for name in rng.permutation(list(facts)).tolist():
        if rng.random() < USUAL[name]:
            claim = facts[name](claim)
    others = [other for other in everyone if other.instance_id != actor.instance_id]
    for name in rng.permutation(list(facts)).tolist():
        if not any(maybe(claim, other) for other in others):
            return claim
        claim = facts[name](claim)
    return None if any(maybe(claim, other) for other in others) else claim


def _facts(actor: ActorRecord, rng: np.random.Generator) -> dict[str, Fact]:
    """All that can be claimed of an actor: name of the fact -> what adds it to a claim."""
    action, heading, look = actor.pair.action_name, actor.heading, actor.look
    facts: dict[str, Fact] = {"action": lambda claim: replace(claim, action=action)}
    if look.colour:
        colour, garment = _clothes(look, rng)
        facts["colour"] = lambda claim: replace(claim, colour=colour, garment=garment, second="")
        if look.second and not look.dress:
            first = "shirt" if look.actor in ("adult", "baby") else ""
            facts["second"] = lambda claim: replace(
                claim, colour=look.colour, garment=first, second=look.second
            )
    if actor.size_words:
        size = pick(rng, actor.size_words)
        facts["size"] = lambda claim: replace(claim, size=size)
    if actor.side_words:
        side = pick(rng, actor.side_words)
        facts["side"] = lambda claim: replace(claim, side=side)
    if heading and action in ("walking", "running", "crawling", "flying", "rolling"):
        facts["heading"] = lambda claim: replace(claim, action=action, heading=heading)
    return facts


def _clothes(look: Look, rng: np.random.Generator) -> tuple[str, str]:
    """A colour and what has it; "" for the whole."""
    if look.actor not in ("adult", "baby"):
        return look.colour, ""
    if look.hat and rng.random() < 0.4:
        return look.hat, "hat"
    if look.second and not look.dress and rng.random() < 0.15:
        return look.second, "pants"
    return look.colour, pick(rng, ("", "dress" if look.dress else "shirt"))


def say(
    claim: Claim,
    place: str,
    held_out: HeldOut,
    rng: np.random.Generator,
    posture: str = "stand",
    airborne: bool = False,
) -> str:
    """Put a claim into words.

    Args:
        claim: What to say.
        place: Kind of background, or "" to say nothing of the place.
        held_out: Which verbs may be used.
        rng: Source of randomness.
        posture: The actor's body pose; decides the verb of an actor that does nothing.
        airborne: Whether the actor is above the ground; decides the phrase for the place.
    """
    words = [_noun_phrase(claim, rng)]
    side = pick(rng, SIDE_PHRASES[claim.side]) if claim.side else ""
    early = rng.random() < 0.4
    if side and early:
        words.append(side)
    if claim.action:
        verb = _verb(claim, held_out, posture, rng)
        words.append(f"is {verb}" if rng.random() < 0.52 or verb == "not moving" else verb)
    phrases = (AIR_PLACES if airborne else PLACES).get(place, ())
    if phrases and rng.random() < 0.45 and "air" not in words[-1]:
        words.append(pick(rng, phrases))
    if claim.heading:
        words.append(pick(rng, HEADINGS[claim.heading]))
    if side and not early:
        words.append(side)
    return " ".join(words)


def _noun_phrase(claim: Claim, rng: np.random.Generator) -> str:
    adjectives = [pick(rng, SIZE_PHRASES[claim.size])] if claim.size else []
    human = claim.noun.actor in ("adult", "baby")
    colour = pick(rng, SYNONYMS.get(claim.colour, (claim.colour,)))
    if claim.second and not human:
        adjectives.append(f"{colour} and {pick(rng, SYNONYMS.get(claim.second, (claim.second,)))}")
    elif claim.colour and not human:
        adjectives.append(colour)
    head = " ".join([*adjectives, claim.noun.text])
    article = rng.random()
    if article < 0.2:
        head = f"the {head}"
    elif article < 0.39:
        head = f"{'an' if head[0] in 'aeiou' else 'a'} {head}"
    if human and claim.colour:
        head = f"{head} {_clothing(colour, claim.garment, rng)}"
        if claim.second:
            other = pick(rng, SYNONYMS.get(claim.second, (claim.second,)))
            head = f"{head} and {other} {pick(rng, ('pants', 'trousers'))}"
    return head


def _clothing(colour: str, garment: str, rng: np.random.Generator) -> str:
    if garment == "hat":
        return f"{pick(rng, ('with', 'in', 'wearing'))} {colour} hat"
    start = pick(rng, ("in", "in", "in", "wearing"))
    if not garment:
        return f"{start} {colour}"
    name = {"shirt": ("shirt", "shirt", "top", "t-shirt"), "pants": ("pants", "trousers")}
    return f"{start} {colour} {pick(rng, name.get(garment, (garment,)))}"


def _verb(claim: Claim, held_out: HeldOut, posture: str, rng: np.random.Generator) -> str:
    fitting = [
        verb
        for verb in VERBS
        if verb.action == claim.action
        and (not verb.actors or claim.noun.actor in verb.actors)
        and (not verb.postures or posture in verb.postures)
        and _allowed(verb.held_out, held_out)
    ]
    return _weighted(fitting, rng).text


def _allowed(is_held_out: bool, setting: HeldOut) -> bool:
    return setting == "mixed" or is_held_out == (setting == "always")


def _weighted(words: Sequence[Word], rng: np.random.Generator) -> Word:
    weights = np.array([word.weight for word in words])
    return words[int(rng.choice(len(words), p=weights / weights.sum()))]


def false_sentences(
    everyone: Sequence[ActorRecord], place: str, held_out: HeldOut, rng: np.random.Generator
) -> tuple[Distractor, ...]:
    """Sentences of each kind of distractor that are not even maybe true of anyone.

    Kinds that are impossible in this clip are left out.
    """
    found = []
    for kind, options in _wrong_pairs(everyone).items():
        for index in rng.permutation(len(options))[:6]:
            actor_name, action_name = options[index]
            claim = _invented(actor_name, action_name, held_out, rng)
            if not any(maybe(claim, actor) for actor in everyone):
                air = claim.action == "flying"
                text = say(claim, place, held_out, rng, airborne=air)
                found.append(Distractor(text, kind))
                break
    return tuple(found)


def _wrong_pairs(everyone: Sequence[ActorRecord]) -> dict[str, list[tuple[str, str]]]:
    """Kind of distractor -> (actor, action) that do not occur."""
    there = {actor.pair for actor in everyone}
    actors, actions = {pair.actor for pair in there}, {pair.action for pair in there}
    wrong: dict[str, list[tuple[str, str]]] = {
        "absent_actor": [],
        "other_action": [],
        "other_actor": [],
    }
    for pair in PAIRS:
        names = (ACTORS[pair.actor - 1], ACTIONS[pair.action - 1])
        if pair.actor not in actors:
            wrong["absent_actor"].append(names)
            if pair.action in actions:
                wrong["other_actor"].append(names)
        elif pair not in there:
            wrong["other_action"].append(names)
    return wrong


def _invented(actor: str, action: str, held_out: HeldOut, rng: np.random.Generator) -> Claim:
    nouns = [noun for noun in NOUNS if noun.actor == actor and _allowed(noun.held_out, held_out)]
    claim = Claim(_weighted(nouns, rng), action=action)
    if rng.random() < 0.35:
        claim = replace(claim, colour=pick(rng, CLOTHES))
    if rng.random() < 0.12:
        claim = replace(claim, side=pick(rng, ("left", "right", "middle")))
    return claim
