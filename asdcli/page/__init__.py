"""A page about runs that is looked at and listened to: what it says, and the one file that says it.

`content` is what stands on a page, `numbers` and `listening` make parts of it, and `render` writes it as one HTML file
of `assets/` that asks no network for anything.
"""

from typing import Literal

PageSounds = Literal["inline", "folder", "none"]
"""Where the sounds of a page lie: those worth a listen within it, all in a folder beside it, or nowhere."""
