"""Specialist Resource Provisions (SRPs): who reaches them, who gets a place, where next."""
