"""What the user wrote: directives, patterns, script files. Pure."""
