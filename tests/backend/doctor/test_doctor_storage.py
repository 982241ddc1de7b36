import json
from pathlib import Path
from typing import Any

import pytest
from between import between
from botocore.exceptions import ClientError
from judged import judged, said, severities

from backend.devstack import Stack
from backend.doctor import storage as doctor
from backend.doctor.finding import Severity
from backend.ports import free_port
from backend.storage.door import Storage
from backend.storage.examination import BucketRules, Rule
from tests.tls_endpoint import authority, tls_in_front_of

WRONG, ADVICE, OK, UNKNOWN = Severity.WRONG, Severity.ADVICE, Severity.OK, Severity.UNKNOWN
PAGE = "https://app.example.com"


def test_a_bucket_that_is_well_is_told_to_be_and_nothing_is_left_in_it(storage_bucket: Storage) -> None:
    storage_bucket.put_bytes("users/1/tasks/x/inputs/a", b"a customer's", "text/csv")
    found = judged(doctor.look, cors_origins=(PAGE,))
    assert severities(found, WRONG, UNKNOWN) == []
    for words in ("answers.", "clock agrees", "written, read, listed", "Presigned downloads"):
        assert said(found, OK, words), words
    assert said(found, ADVICE, "they cannot read a part's ETag"), "moto's CORS exposes nothing"
    assert [one.key for one in storage_bucket.list("")] == ["users/1/tasks/x/inputs/a"]
    assert list(storage_bucket.list_unfinished_uploads("")) == []


def test_a_bucket_that_is_not_there_or_not_ours_is_wrong(stack: Stack, storage_bucket: Storage) -> None:
    assert said(judged(doctor.look, s3_bucket="nobodys"), WRONG, "The bucket nobodys does not answer")
    (found,) = judged(doctor.look, s3_endpoint_url=f"http://127.0.0.1:{free_port()}")
    assert "Could not connect" in found.seen
    with between(stack.s3_endpoint_url, lambda *_: True) as denied:
        assert said(judged(doctor.look, s3_endpoint_url=denied), WRONG, "does not answer")


def test_a_store_whose_certificate_proves_nothing_here_is_wrong_and_the_remedy_is_named(
    stack: Stack, storage_bucket: Storage, tmp_path: Path
) -> None:
    with tls_in_front_of(stack.storage.port, authority(tmp_path, "strange").server("127.0.0.1")) as port:
        (found,) = judged(doctor.look, s3_endpoint_url=f"https://127.0.0.1:{port}")
    assert found.severity is WRONG
    assert "AWS_CA_BUNDLE" in found.change


@pytest.mark.parametrize(
    ("method", "words", "permission"),
    [
        ("PUT", "It could not write an object", "s3:PutObject"),
        ("GET", "It could not list objects", "s3:ListBucket"),
        ("DELETE", "It could not give up an upload", "s3:AbortMultipartUpload"),
    ],
)
def test_each_permission_that_is_missing_is_named(
    stack: Stack, storage_bucket: Storage, method: str, words: str, permission: str
) -> None:
    with between(stack.s3_endpoint_url, lambda asked, _: asked == method) as denied:
        found = judged(doctor.look, s3_endpoint_url=denied)
    assert said(found, WRONG, words)
    assert any(one.change == f"Allow {permission} on the bucket." for one in found)


def test_who_may_give_up_no_upload_leaves_no_object_behind(
    storage_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "AbortMultipartUpload")

    monkeypatch.setattr(Storage, "abort_upload", refused)
    found = judged(doctor.look)
    assert said(found, WRONG, "It could not give up an upload")
    assert said(found, OK, "Presigned downloads")
    assert not [one for one in found if "could not be tried" in one.seen]
    assert list(storage_bucket.list("")) == []


def test_links_are_tried_by_the_address_that_customers_are_given(storage_bucket: Storage) -> None:
    found = judged(doctor.look, s3_public_endpoint_url=f"http://nowhere.invalid:{free_port()}")
    assert said(found, WRONG, "The address that links name does not answer")
    assert said(found, OK, "written, read, listed")
    found = judged(doctor.look, s3_public_endpoint_url=f"http://127.0.0.1:{free_port()}")
    assert said(found, ADVICE, "which does not answer here: they were not tried.")


def test_a_store_that_lets_no_page_send_files_is_found_by_a_preflight(stack: Stack, storage_bucket: Storage) -> None:
    with between(stack.s3_endpoint_url, drops={"access-control-allow-origin"}) as closed:
        found = judged(doctor.look, s3_public_endpoint_url=closed, cors_origins=(PAGE,))
    assert said(found, WRONG, f"The store does not let pages of {PAGE} send files (POST, PUT).")
    assert said(found, OK, "Presigned downloads, forms and parts")


def test_a_store_that_exposes_etags_lets_pages_send_in_parts(stack: Stack, storage_bucket: Storage) -> None:
    with between(stack.s3_endpoint_url, adds={"Access-Control-Expose-Headers": "x-amz-id, ETag"}) as open_to_pages:
        found = judged(doctor.look, s3_public_endpoint_url=open_to_pages, cors_origins=(PAGE,))
    assert said(found, OK, f"Pages of {PAGE} may send files, in parts too.")


def test_an_object_is_looked_at_for_the_key_that_was_asked_for(stack: Stack, storage_bucket: Storage) -> None:
    assert said(judged(doctor.look, s3_kms_key_id="a-key"), OK, "encrypted at rest (aws:kms, a-key)")
    lost = {"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"}
    with between(stack.s3_endpoint_url, drops=lost) as forgetful:
        found = judged(doctor.look, s3_endpoint_url=forgetful, s3_kms_key_id="a-key")
    assert said(found, WRONG, "S3_KMS_KEY_ID is set, and what is sent is encrypted with nothing")


def test_what_lies_around_the_bucket_is_read_from_its_own_rules(storage_bucket: Storage) -> None:
    client, named = storage_bucket._client, {"Bucket": storage_bucket.bucket}
    client.put_bucket_versioning(**named, VersioningConfiguration={"Status": "Enabled"})
    rules: Any = [
        {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": "users/"}, "Expiration": {"Days": 3}},
        {"ID": "ours", "Status": "Enabled", "Filter": {"Prefix": "backups/"}, "Expiration": {"Days": 3}},
    ]
    client.put_bucket_lifecycle_configuration(**named, LifecycleConfiguration={"Rules": rules})
    everybody = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{storage_bucket.bucket}/*"}
        ],
    }  # fmt: skip
    client.put_bucket_policy(**named, Policy=json.dumps(everybody))
    try:
        found = judged(doctor.look)
    finally:
        client.delete_bucket_policy(**named)
        client.delete_bucket_lifecycle(**named)
        client.put_bucket_versioning(**named, VersioningConfiguration={"Status": "Suspended"})
    assert said(found, WRONG, "The lifecycle rule 'tidy' removes objects after 3 days; rows name them for 30.")
    assert not any("'ours'" in one.seen for one in found)
    assert said(found, ADVICE, "keeps old versions for ever")
    assert said(found, WRONG, "Everybody can read an object who knows its key.") or said(
        found, WRONG, "The bucket's policy lets everybody in."
    )


def test_what_a_store_does_not_tell_is_unknown_and_what_it_does_not_have_is_not_asked_of_it(database: str) -> None:
    told = BucketRules(
        encryption=None, public=True, blocks_public=None, keeps_versions=True, removes_old_versions=True,
        rules=[Rule("cold", "", 10, removes=False)], untold={"policy": "AccessDenied"}, unheard_of=["encryption"],
    )  # fmt: skip
    found = judged(lambda settings: doctor._bucket(told, settings))
    assert said(found, UNKNOWN, "The store does not tell its policy: AccessDenied.")
    assert said(found, OK, "The store knows nothing of encryption.")
    assert said(found, ADVICE, "The bucket says nothing of encryption.")
    assert said(found, WRONG, "moves objects to where they cannot be read at once after 10 days")
    assert not any("old versions" in one.seen for one in found)
