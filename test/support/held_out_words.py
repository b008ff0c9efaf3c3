"""Words that the generator keeps for its test clips."""

from actseg_core.generator.words import NOUNS, VERBS

HELD_OUT_WORDS = frozenset(
    word
    for entry in (*NOUNS, *VERBS)
    if entry.held_out
    for word in entry.text.split()
    if word not in {"through", "the", "air", "up"}
)
