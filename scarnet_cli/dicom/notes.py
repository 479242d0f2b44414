"""Rules that were applied on the way, for programs and for people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule as study entries and study.json list it.

    Attributes:
        code: Short word.
        words: What was done.
    """

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Note:
    """A rule that was applied, for programs and for people.

    Attributes:
        code: Short word.
        words: What was done.
        flag: It is something that a reader of the result should know.
    """

    code: str
    words: str
    flag: bool = False

    @property
    def rule(self) -> AppliedRule:
        """The rule alone."""
        return AppliedRule(self.code, self.words)
