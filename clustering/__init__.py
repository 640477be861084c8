"""The decision: what a plan must satisfy, how it is found, judged and told."""

from clustering.plan import Plan
from clustering.provision_desk import Review, review
from clustering.provision_sites import where_next
from clustering.report import Report, assess
from clustering.rules import Goals, Rules
from clustering.run import Result, design
from clustering.study import Study

__all__ = [
    "Goals",
    "Plan",
    "Report",
    "Result",
    "Review",
    "Rules",
    "Study",
    "assess",
    "design",
    "review",
    "where_next",
]
