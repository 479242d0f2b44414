"""Rules that were applied on the way, for programs and for people."""

from dataclasses import dataclass


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
