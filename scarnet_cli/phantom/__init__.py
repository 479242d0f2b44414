"""Phantoms: synthetic hearts whose true measures are known."""
