"""What this machine has, and whether its confinement holds: tried, not assumed."""

from grader.doctor.examine import Finding, examine

__all__ = ["Finding", "examine"]
