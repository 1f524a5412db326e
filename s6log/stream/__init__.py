"""What happens to bytes between the input and the outputs. Pure."""
