"""The decision: what a plan must satisfy, how it is found, judged and told."""
