"""What samples are worth: do their words exist, and is anything copied?"""

import re
from collections.abc import Sequence

WORD = re.compile(r"[^\W\d_]+")


def words_in_corpus(samples: Sequence[str], corpus: str) -> float:
    """Share of the samples' words, in lower case, that occur in the corpus; 0 without words.

    For scripts that put spaces between words: elsewhere a "word" is as long as a sentence.
    """
    known = set(WORD.findall(corpus.lower()))
    words = [word for sample in samples for word in WORD.findall(sample.lower())]
    return sum(word in known for word in words) / max(1, len(words))


def longest_copy(samples: Sequence[str], corpus: str) -> str:
    """The longest stretch of any sample that stands in the corpus character by character."""
    longest = ""
    for sample in samples:
        start = 0
        while start + len(longest) < len(sample):
            # grow at this place for as long as it is found; places that cannot beat the longest cost one search
            while start + len(longest) < len(sample) and sample[start : start + len(longest) + 1] in corpus:
                longest = sample[start : start + len(longest) + 1]
            start += 1
    return longest
