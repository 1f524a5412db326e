"""Loggers forked from the supervisor instead of executed anew."""
