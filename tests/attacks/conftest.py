"""What each attack begins with."""

from fakes.scene import keys, scene

__all__ = ["keys", "scene"]
