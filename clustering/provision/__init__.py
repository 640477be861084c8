"""Specialist provision: who can reach which place, how full it is, what a change would do."""
