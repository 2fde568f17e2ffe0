"""`shouwang demo`: the whole line at work, told live."""

from shouwang.demo.telling import tell_story

__all__ = ["tell_story"]
