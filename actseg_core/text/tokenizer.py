"""Text to words."""

import unicodedata

from actseg_core.errors import VocabularyError

# Kept inside a word; every other sign that is neither letter nor digit ends it.
JOINERS = frozenset("'-")


def tokenize(text: str, lowercase: bool = True) -> tuple[str, ...]:
    """Words of a sentence in NFC form, signs removed.

    Hyphenated words stay whole ("t-shirt"); what the vectors do not know of them is looked up in
    parts by `SentenceReader`.

    Args:
        text: Any text; control characters count as spaces.
        lowercase: Fold to lower case.

    Raises:
        VocabularyError: If the text holds U+FFFD, the sign of bytes that were not UTF-8.
    """
    if "\ufffd" in text:
        raise VocabularyError(
            "the sentence holds undecodable bytes (U+FFFD); send it as UTF-8 text"
        )
    text = unicodedata.normalize("NFC", text)
    if lowercase:
        text = text.lower()
    kept = (sign if sign.isalnum() or sign in JOINERS else " " for sign in text)
    words = (word.strip("'-") for word in "".join(kept).split())
    return tuple(word for word in words if word)
