"""The fixtures of the attacks."""

from fakes.scene import keys, scene

__all__ = ["keys", "scene"]
