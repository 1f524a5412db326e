"""The logger, and the tools that read what it wrote.

Nothing is imported here: every program pays only for the modules it uses.
"""

__version__ = "0.1.0"
