"""Several ways to answer the same call: find a plan, prove it, explain why there is none."""
