"""This process' own settings: what production would refuse, and what is legal and hardly meant."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from backend.doctor.finding import Area, Finding, Ward
from backend.doctor.places import shown
from backend.settings import Settings
from backend.tls import stays_here

WARD = Ward(Area.SETTINGS)
BEATS_A_LEASE = 3  # so that two may come late


def look(settings: Settings) -> Iterator[Finding]:
    yield from _environment(settings)
    yield from _links(settings)
    yield from _times(settings)
    if "*" in settings.cors_origins:
        yield WARD.wrong("CORS_ORIGINS lets pages of every origin use the API.", "Name the origins of your own pages.")


def _environment(settings: Settings) -> Iterator[Finding]:
    if settings.environment == "production":
        yield WARD.ok("They are production's, which refuses what is unsafe.")
        return
    faults = settings.production_faults()
    seen = f"ENVIRONMENT is {settings.environment}: unsafe settings are not refused."
    refused = f" It would refuse: {'; '.join(faults)}." if faults else ""
    yield WARD.advice(seen + refused, "Set ENVIRONMENT=production where customers are served.")


def _links(settings: Settings) -> Iterator[Finding]:
    public = settings.s3_public_endpoint_url or settings.s3_endpoint_url
    if public is None:
        return
    host = urlsplit(public).hostname or ""
    if urlsplit(public).scheme != "https" and not stays_here(host):
        yield WARD.wrong(
            f"Customers' files travel in the clear: links name {shown(public)}.",
            "Serve the store over https, and name that in S3_PUBLIC_ENDPOINT_URL.",
        )
    elif settings.environment == "production" and stays_here(host):
        yield WARD.advice(
            f"Links name {shown(public)}: only customers on this machine reach it.",
            "Name the store's public address in S3_PUBLIC_ENDPOINT_URL.",
        )


def _times(settings: Settings) -> Iterator[Finding]:
    if settings.lease_seconds < BEATS_A_LEASE * settings.beat_seconds:
        yield WARD.wrong(
            f"A lease of {settings.lease_seconds:g} s holds fewer than {BEATS_A_LEASE} beats of "
            f"{settings.beat_seconds:g} s: a slow moment costs a worker its tasks.",
            "Raise LEASE_SECONDS or lower BEAT_SECONDS.",
        )
