"""Dated tables of published values, as TOML that anyone can read, check and replace."""
