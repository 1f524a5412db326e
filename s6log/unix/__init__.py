"""What both packages share of the operating system."""
