"""This machine's clock beside another's. Signatures, tokens and links go by each machine's own; leases go by the
database's alone, so that a wrong clock costs sign-ins and uploads, never a task.
"""

from backend.doctor.finding import Finding, Ward

NOTICED = 2.0  # seconds; a server tells its time to the second at the least
REFUSED = 60.0  # a token of 15 minutes, a webhook's 5 minutes and a store's 15 are still good below


def compared(ward: Ward, whose: str, ahead_seconds: float) -> Finding:
    """`ahead_seconds`: of this machine's clock, negative where it is behind."""
    apart = abs(ahead_seconds)
    seen = f"This machine's clock is {apart:.1f} s {'ahead of' if ahead_seconds > 0 else 'behind'} {whose}."
    if apart < NOTICED:
        return ward.ok(f"This machine's clock agrees with {whose}.")
    change = "Keep every machine's clock by NTP (chrony, systemd-timesyncd)."
    return ward.wrong(seen, change) if apart > REFUSED else ward.advice(seen, change)
