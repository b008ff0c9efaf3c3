"""Prepositions of several words, and phrases of place."""

from collections.abc import Sequence

from actseg_core.text import function_words as fixed

LONGEST_PREPOSITION = 4


def relation_at(words: tuple[str, ...], index: int) -> tuple[int, str]:
    """How many words a preposition has, and the relation that it stands for."""
    for size in range(LONGEST_PREPOSITION, 0, -1):
        phrase = tuple(words[index : index + size])
        noun = index + size + (words[index + size : index + size + 1] == ("the",))
        in_picture = words[noun : noun + 1] and words[noun] in fixed.FRAME_WORDS
        if phrase in fixed.PHRASAL and len(phrase) == size and not in_picture:
            return size, fixed.PHRASAL[phrase]
    return 1, words[index]


def read_place(index: int, words: Sequence[str], tags: Sequence[str], ranked: bool) -> int | None:
    """Where a phrase like "the far left side" or "top right" ends.

    Args:
        index: The word after the preposition.
        words: The sentence.
        tags: Of each word.
        ranked: "the second from the left" came before; a noun may follow.

    Returns:
        None if there is no place, or it only describes a noun ("the left chair").
    """
    at, found = index, False
    while at < len(words):
        opens = tags[at] == "det" or words[at] in fixed.UTMOST
        if tags[at] == "place":
            found = True
        elif not (words[at] in fixed.PLACE_NOUNS if found else opens):
            break
        at += 1
    goes_on = at < len(words) and tags[at] in ("noun", "pron", "name")
    if not found or (goes_on and not ranked):
        return None
    return at


def place_names(words: Sequence[str]) -> list[str]:
    """What a phrase says: "the far left side" is leftmost, "top right" is top and right."""
    names = [fixed.PLACES[word] for word in words if word in fixed.PLACES]
    if any(word in fixed.UTMOST for word in words):
        return [fixed.FAR.get(name, name) for name in names]
    return names
