"""Which words of a list of sentences have no vector."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from actseg_core.text.sentence import SentenceReader


@dataclass(frozen=True)
class VocabularyReport:
    """How well a vocabulary covers sentences.

    Attributes:
        sentences: How many were read.
        incomplete_sentences: How many of them hold at least one unknown word.
        unanswerable_sentences: How many of them hold no known word; NOT_FOUND is all they get.
        words: Running words in all of them.
        distinct_words: Different words in all of them.
        unknown: Words without a vector, the most frequent first, with their counts.
    """

    sentences: int
    incomplete_sentences: int
    unanswerable_sentences: int
    words: int
    distinct_words: int
    unknown: tuple[tuple[str, int], ...]

    @property
    def unknown_share(self) -> float:
        """Share [0, 1] of the running words that are unknown; 0 without words."""
        return sum(count for _, count in self.unknown) / max(self.words, 1)

    def __str__(self) -> str:
        """One line for a terminal, with the ten most frequent unknown words."""
        head = (
            f"{self.sentences} sentences, {self.words} words ({self.distinct_words} distinct): "
            f"{100 * self.unknown_share:.2f} % unknown, in {self.incomplete_sentences} sentences"
        )
        named = ", ".join(f"{word} ({count})" for word, count in self.unknown[:10])
        return f"{head}: {named}" if named else head


def vocabulary_report(texts: Iterable[str], reader: SentenceReader) -> VocabularyReport:
    """Read sentences and count the words that have no vector.

    Args:
        texts: Sentences; each must hold a word.
        reader: The vocabulary, and how words are taken apart.

    Raises:
        VocabularyError: If one of the sentences holds no word, or undecodable characters.
    """
    words: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    sentences = incomplete = unanswerable = 0
    for text in texts:
        sentence = reader.read(text)
        words.update(sentence.words)
        unknown.update(sentence.unknown)
        sentences += 1
        incomplete += bool(sentence.unknown)
        unanswerable += not sentence.is_known
    return VocabularyReport(
        sentences,
        incomplete,
        unanswerable,
        words.total(),
        len(words),
        tuple(unknown.most_common()),
    )
