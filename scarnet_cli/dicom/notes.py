"""Records of the rules that were applied to a study."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """An applied rule, as listed in study entries and study.json.

    Attributes:
        code: Code for programs.
        words: What was done, as text for people.
    """

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Note:
    """An applied rule that may be a flag.

    Attributes:
        code: Code for programs.
        words: What was done, as text for people.
        flag: Whether a reader of the result should know it.
    """

    code: str
    words: str
    flag: bool = False

    @property
    def rule(self) -> AppliedRule:
        """The rule without `flag`."""
        return AppliedRule(self.code, self.words)
