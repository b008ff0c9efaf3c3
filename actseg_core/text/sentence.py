"""Sentences as words, and words as rows of vectors."""

import logging
import unicodedata
from functools import lru_cache

from actseg_core.config import TextConfig
from actseg_core.errors import VocabularyError
from actseg_core.text.word_vectors import WordVectors, load_word_vectors
from actseg_core.types import SHOWN_CHARS, Sentence

logger = logging.getLogger(__name__)

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


class SentenceReader:
    """Tokenises sentences and looks their words up.

    Args:
        config: Length and case.
        vectors: The vocabulary.
    """

    def __init__(self, config: TextConfig, vectors: WordVectors) -> None:
        self.config = config
        self.vectors = vectors

    def read(self, text: str) -> Sentence:
        """A sentence of at most `config.max_words` words; later ones are in `left_out`.

        A word without a vector is read without its possessive "'s" and, if hyphenated, as its
        parts: "man's" as "man", "red-haired" as "red", "haired".

        Raises:
            VocabularyError: If the text holds no word, undecodable characters, or too many.
        """
        tokens = tokenize(text, self.config.lowercase)
        whole = self.vectors.known(tokens)
        said = tuple(
            part for word in tokens for part in ([word] if word in whole else _parts(word))
        )
        words, left_out = said[: self.config.max_words], said[self.config.max_words :]
        if not words:
            raise VocabularyError(
                f"the sentence {text[:40]!r} holds no word; send one like 'dog running'"
            )
        rows = self.vectors.rows(words, self.config.max_words)
        unknown = tuple(word for word, row in zip(words, rows, strict=False) if not row.any())
        sentence = Sentence(text, words, unknown, rows, left_out)
        if left_out:
            _warn(text, sentence.shortened)
        return sentence


def _parts(word: str) -> list[str]:
    return [part for part in word.removesuffix("'s").split("-") if part]


@lru_cache(maxsize=1000)
def _warn(text: str, shortened: str) -> None:
    """Once per sentence, however often a training reads it."""
    logger.warning("%r: %s", text[:SHOWN_CHARS], shortened)


def load_reader(config: TextConfig, digest: str = "") -> SentenceReader:
    """Tokeniser and vocabulary of a network.

    Args:
        config: Names the word vectors and their width.
        digest: `WordVectors.digest` of the table that the network was trained with; "" if that
            is not known, or if it is yet to be trained.

    Raises:
        VocabularyError: If the word vectors cannot be read, or are others than the network's.
    """
    vectors = load_word_vectors(config.vectors)
    if vectors.dim != config.word_dim:
        raise VocabularyError(
            f"text.word_dim is {config.word_dim}, but {config.vectors} has vectors of "
            f"{vectors.dim}; give the vectors that the network is trained with, or set "
            f"text.word_dim={vectors.dim} for a new one"
        )
    if digest and not vectors.is_the_one_of(digest):
        raise VocabularyError(
            f"the network was trained with other word vectors than {config.vectors} (digest "
            f"{digest}, here {vectors.digest}); give the table that it was trained with"
        )
    return SentenceReader(config, vectors)
