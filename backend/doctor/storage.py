"""The file store: what Agensium does there is done once, on objects of the doctor's own; then what lies around it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from backend.doctor.clocks import compared
from backend.doctor.finding import Area, Finding, Ward
from backend.doctor.places import shown
from backend.settings import Settings
from backend.storage import examination
from backend.storage.door import Storage
from backend.storage.examination import BODY, BucketRules, Probe, Rule
from backend.storage.faults import StorageError
from backend.tls import stays_here

WARD = Ward(Area.STORAGE)
LINK_SECONDS = 5.0
CUSTOMERS = "users/"
PRIVATE = "Remove the policy or ACL that lets everybody read, and block public access to the bucket."


def look(settings: Settings) -> Iterator[Finding]:
    storage = Storage(settings)
    try:
        ahead = examination.ahead_seconds(storage)
    except StorageError as error:
        yield _no_answer(storage, error)
        return
    yield WARD.ok(f"The bucket {storage.bucket} answers.")
    if ahead is not None:
        yield compared(WARD, "the store's", ahead)
    yield from _permissions(storage)
    yield from _probed(storage, settings)
    yield from _bucket(examination.bucket(storage), settings)


def _no_answer(storage: Storage, error: Exception) -> Finding:
    seen = f"The bucket {storage.bucket} does not answer: {examination.reason(error)}"
    if examination.is_unproven(error):
        return WARD.wrong(
            seen, "Name the authority of its certificate in AWS_CA_BUNDLE, and the host as that calls it."
        )
    return WARD.wrong(
        seen, "Look at S3_ENDPOINT_URL, S3_BUCKET, S3_REGION and the credentials. It needs s3:ListBucket at the least."
    )


def _permissions(storage: Storage) -> Iterator[Finding]:
    refusals = examination.try_everything(storage)
    for refusal in refusals:
        yield WARD.wrong(f"It could not {refusal.act}: {refusal.said}", f"Allow {refusal.permission} on the bucket.")
    if not refusals:
        yield WARD.ok("Objects can be written, read, listed, sent in parts and removed.")


def _probed(storage: Storage, settings: Settings) -> Iterator[Finding]:
    try:
        with examination.probe(storage) as probe:
            yield from _links(probe, settings)
            yield from _encryption(probe, settings)
            yield from _origins(probe, settings)
    except StorageError as error:
        yield WARD.unknown(
            f"Links, encryption and CORS could not be tried: {examination.reason(error)}", "Mend the permissions first."
        )


def _links(probe: Probe, settings: Settings) -> Iterator[Finding]:
    """As a customer's client uses them: from outside, by the public address, without credentials."""
    public = settings.s3_public_endpoint_url or ""
    change = "Look at S3_PUBLIC_ENDPOINT_URL: customers' clients must reach it, and it must be the same store."
    try:
        with httpx.Client(timeout=LINK_SECONDS) as client:
            down = client.get(probe.download_link)
            sent = client.post(probe.form.url, data=probe.form.fields, files={"file": ("probe.txt", BODY)})
            part = client.put(probe.part_link, content=BODY)
            bare = client.get(probe.url)
    except httpx.HTTPError as error:
        if public and stays_here(urlsplit(public).hostname or ""):  # as of Compose on one machine
            yield WARD.advice(
                f"Links name {shown(public)}, which does not answer here: they were not tried.",
                "Ask outside of the container, where that address is the store's.",
            )
            return
        yield WARD.wrong(f"The address that links name does not answer ({type(error).__name__}: {error}).", change)
        return
    failed = {
        f"a download link ({down.status_code})": not down.is_success or down.content != BODY,
        f"an upload form ({sent.status_code})": not sent.is_success,
        f"a link for a part ({part.status_code})": not part.is_success,
    }
    if any(failed.values()):
        yield WARD.wrong(f"Not taken: {', '.join(name for name, bad in failed.items() if bad)}.", change)
    else:
        yield WARD.ok("Presigned downloads, forms and parts work by the public address.")
    if bare.is_success:
        yield WARD.wrong("Everybody can read an object who knows its key.", PRIVATE)


def _encryption(probe: Probe, settings: Settings) -> Iterator[Finding]:
    algorithm, key = probe.encryption
    used = f"{algorithm} {key}".strip()
    wanted = settings.s3_kms_key_id
    if wanted and not (algorithm.startswith("aws:kms") and key and (key == wanted or key.endswith(f"/{wanted}"))):
        yield WARD.wrong(
            f"S3_KMS_KEY_ID is set, and what is sent is encrypted with {used or 'nothing'}.",
            "Use a store that knows KMS, or take S3_KMS_KEY_ID out.",
        )
    elif algorithm:
        yield WARD.ok(f"What is sent is encrypted at rest ({algorithm}{f', {key}' if key else ''}).")


def _origins(probe: Probe, settings: Settings) -> Iterator[Finding]:
    """A real preflight, as a browser's: for a form, and for a part, whose ETag the page has to read."""
    if not settings.cors_origins:
        yield WARD.ok("No page of another origin sends files (CORS_ORIGINS is empty).")
    for origin in settings.cors_origins:
        refused = [method for method, url in _targets(probe) if not _allowed(origin, method, url)]
        if refused:
            yield WARD.wrong(
                f"The store does not let pages of {origin} send files ({', '.join(refused)}).",
                f"Add a CORS rule to the bucket: origin {origin}, methods GET, PUT, POST, all headers, ETag exposed.",
            )
        elif not _tells_the_etag(origin, probe.part_link):
            yield WARD.advice(
                f"Pages of {origin} may send files, and not those that go in parts: they cannot read a part's ETag.",
                "Expose ETag in the bucket's CORS rule.",
            )
        else:
            yield WARD.ok(f"Pages of {origin} may send files, in parts too.")


def _targets(probe: Probe) -> tuple[tuple[str, str], ...]:
    return ("POST", probe.form.url), ("PUT", probe.part_link)


def _allowed(origin: str, method: str, url: str) -> bool:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
    }
    try:
        told = httpx.options(url, headers=asked, timeout=LINK_SECONDS)
    except httpx.HTTPError:
        return False
    methods = {name.strip() for name in told.headers.get("access-control-allow-methods", "").split(",")}
    origins = {"*", origin}
    return (
        told.is_success and told.headers.get("access-control-allow-origin") in origins and bool(methods & {"*", method})
    )


def _tells_the_etag(origin: str, part_link: str) -> bool:
    """A page finishes an upload with what the store said of each part."""
    try:
        told = httpx.put(part_link, content=BODY, headers={"Origin": origin}, timeout=LINK_SECONDS)
    except httpx.HTTPError:
        return False
    exposed = told.headers.get("access-control-expose-headers", "").lower()
    return bool({"*", "etag"} & {name.strip() for name in exposed.split(",")})


def _bucket(found: BucketRules, settings: Settings) -> Iterator[Finding]:
    if not found.encryption and "encryption" not in found.untold and not settings.s3_kms_key_id:
        yield WARD.advice(
            "The bucket says nothing of encryption.", "Encrypt it by default, or the disks below it; or S3_KMS_KEY_ID."
        )
    if found.public:
        yield WARD.wrong("The bucket's policy lets everybody in.", PRIVATE)
    if found.blocks_public is False:
        yield WARD.advice("Public access to the bucket is not blocked.", "Block it: nothing of Agensium's is public.")
    if found.keeps_versions and not found.removes_old_versions:
        yield WARD.advice(
            "The bucket keeps old versions for ever: what a customer deletes, and what retention removes, stays there.",
            "Add a lifecycle rule that removes noncurrent versions after some days.",
        )
    for rule in found.rules:
        yield from _lifecycle(rule, settings)
    for what in found.unheard_of:
        yield WARD.ok(f"The store knows nothing of {what}.")
    for what, said in found.untold.items():
        yield WARD.unknown(f"The store does not tell its {what}: {said}.", "Allow reading it, or look at it yourself.")


def _lifecycle(rule: Rule, settings: Settings) -> Iterator[Finding]:
    hits = rule.prefix.startswith(CUSTOMERS) or CUSTOMERS.startswith(rule.prefix)
    if hits and rule.days <= settings.outputs_kept_days:
        act = "removes objects" if rule.removes else "moves objects to where they cannot be read at once"
        yield WARD.wrong(
            f"The lifecycle rule {rule.name!r} {act} after {rule.days} days; rows name them for "
            f"{settings.outputs_kept_days:g}.",
            "Take the rule away: agensium clean removes what is due, by OUTPUTS_KEPT_DAYS.",
        )
