"""Text to words."""

import unicodedata

from actseg_core.errors import VocabularyError

MAX_CHARS = 10_000  # normalising takes quadratic time on long runs of combining marks
JOINERS = frozenset("'-")  # kept inside a word
SPELLED_AS = str.maketrans({"\u2019": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-"})
KEPT = frozenset("LMN")  # letters, combining marks, numbers: Unicode's major categories
INVISIBLE = "Cf"  # soft hyphens, joiners, marks of direction: they separate nothing


def tokenize(text: str, lowercase: bool = True) -> tuple[str, ...]:
    """Words of a sentence in NFC form, signs removed.

    A word is a run of letters, combining marks and numbers, with hyphens and apostrophes inside
    it ("t-shirt", "man's"). Everything else, control characters included, separates words.

    Args:
        text: Any text.
        lowercase: Fold to lower case.

    Raises:
        VocabularyError: If the text is longer than MAX_CHARS, or holds U+FFFD, the sign of bytes
            that were not UTF-8.
    """
    if len(text) > MAX_CHARS:
        raise VocabularyError(
            f"a sentence may have at most {MAX_CHARS} characters, got {len(text)}; shorten it"
        )
    if "\ufffd" in text:
        raise VocabularyError(
            "the sentence holds undecodable bytes (U+FFFD); send it as UTF-8 text"
        )
    text = unicodedata.normalize("NFC", text).translate(SPELLED_AS)
    if lowercase:
        text = unicodedata.normalize("NFC", text.lower())
    words = ("".join(map(_kept, text))).split()
    return tuple(word for word in (word.strip("'-") for word in words) if word)


def _kept(sign: str) -> str:
    """The sign itself, a space where it ends a word, nothing where it cannot be seen."""
    if sign in JOINERS:
        return sign
    category = unicodedata.category(sign)
    if category == INVISIBLE:
        return ""
    return sign if category[0] in KEPT else " "
