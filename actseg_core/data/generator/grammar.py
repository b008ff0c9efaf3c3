"""Sentences: claims chosen so that they identify, then put into words as annotators do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from actseg_core.data.generator.claims import Claim, maybe, surely
from actseg_core.data.generator.clip import ActorRecord, Distractor
from actseg_core.data.generator.palette import CLOTHES, SYNONYMS, pick
from actseg_core.data.generator.settings import HeldOut
from actseg_core.data.generator.words import (
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

USUAL: dict[str, float] = {"colour": 0.45, "second": 0.15, "size": 0.2, "side": 0.15, "action": 0.88}
"""How often annotators mention what they need not."""


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
    for _ in range(4 * count):
        claim = identify(actor, everyone, held_out, rng)
        if claim is None:
            continue
        text = say(claim, actor.airborne, place, held_out, rng)
        if text not in found and len(text.split()) <= max_words:
            found.append(text)
        if len(found) == count:
            break
    return tuple(found)


def identify(
    actor: ActorRecord, everyone: Sequence[ActorRecord], held_out: HeldOut, rng: np.random.Generator
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
            claim = replace(claim, **facts[name])
    others = [other for other in everyone if other.instance_id != actor.instance_id]
    for name in rng.permutation(list(facts)).tolist():
        if not any(maybe(claim, other) for other in others):
            return claim
        claim = replace(claim, **facts[name])
    return None if any(maybe(claim, other) for other in others) else claim


def _facts(actor: ActorRecord, rng: np.random.Generator) -> dict[str, dict[str, str]]:
    """All that can be claimed of an actor, by how it is mentioned."""
    look = actor.look
    facts: dict[str, dict[str, str]] = {"action": {"action": actor.pair.action_name}}
    if look.colour:
        garments = [{"colour": look.colour, "garment": ""}]
        if look.actor in ("adult", "baby"):
            garments.append({"colour": look.colour, "garment": "dress" if look.dress else "shirt"})
            if look.second and not look.dress and rng.random() < 0.3:
                garments = [{"colour": look.second, "garment": "pants"}]
            if look.hat and rng.random() < 0.4:
                garments = [{"colour": look.hat, "garment": "hat"}]
        elif look.second:
            facts["second"] = {"colour": look.colour, "second": look.second}
        facts["colour"] = pick(rng, garments)
    if actor.size_words:
        facts["size"] = {"size": pick(rng, actor.size_words)}
    if actor.side_words:
        facts["side"] = {"side": pick(rng, actor.side_words)}
    return facts


def say(
    claim: Claim, airborne: bool, place: str, held_out: HeldOut, rng: np.random.Generator
) -> str:
    """Put a claim into words.

    Args:
        claim: What to say.
        airborne: Whether the actor is above the ground (decides the phrase for the place).
        place: Kind of background, or "" to say nothing of the place.
        held_out: Which verbs may be used.
        rng: Source of randomness.
    """
    words = [_noun_phrase(claim, rng)]
    side = pick(rng, SIDE_PHRASES[claim.side]) if claim.side else ""
    early = rng.random() < 0.4
    if side and early:
        words.append(side)
    if claim.action:
        verb = _verb(claim, held_out, rng)
        words.append(f"is {verb}" if rng.random() < 0.62 or verb == "not moving" else verb)
    phrases = (AIR_PLACES if airborne else PLACES).get(place, ())
    if phrases and rng.random() < 0.42 and "air" not in words[-1]:
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
    if claim.second:
        adjectives.append(f"{colour} and {pick(rng, SYNONYMS.get(claim.second, (claim.second,)))}")
    elif claim.colour and not human:
        adjectives.append(colour)
    head = " ".join([*adjectives, claim.noun.text])
    article = rng.random()
    if article < 0.25:
        head = f"the {head}"
    elif article < 0.48:
        head = f"{'an' if head[0] in 'aeiou' else 'a'} {head}"
    if human and claim.colour:
        head = f"{head} {_clothing(colour, claim.garment, rng)}"
    return head


def _clothing(colour: str, garment: str, rng: np.random.Generator) -> str:
    if garment == "hat":
        return f"{pick(rng, ('with', 'in', 'wearing'))} {colour} hat"
    start = pick(rng, ("in", "in", "in", "wearing"))
    if not garment:
        return f"{start} {colour}"
    name = {"shirt": ("shirt", "shirt", "top", "t-shirt"), "pants": ("pants", "trousers")}
    return f"{start} {colour} {pick(rng, name.get(garment, (garment,)))}"


def _verb(claim: Claim, held_out: HeldOut, rng: np.random.Generator) -> str:
    fitting = [
        verb
        for verb in VERBS
        if verb.action == claim.action
        and (not verb.actors or claim.noun.actor in verb.actors)
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
        for index in rng.permutation(len(options))[:6].tolist():
            claim = _invented(*options[index], held_out, rng)
            if not any(maybe(claim, actor) for actor in everyone):
                air = claim.action == "flying"
                found.append(Distractor(say(claim, air, place, held_out, rng), kind))
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
    nouns = [
        noun for noun in NOUNS if noun.actor == actor and _allowed(noun.held_out, held_out)
    ]
    claim = Claim(_weighted(nouns, rng), action=action)
    if rng.random() < 0.35:
        claim = replace(claim, colour=pick(rng, CLOTHES))
    if rng.random() < 0.12:
        claim = replace(claim, side=pick(rng, ("left", "right", "middle")))
    return claim
