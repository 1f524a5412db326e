"""Where lines come from: descriptor 0, whatever it is."""
