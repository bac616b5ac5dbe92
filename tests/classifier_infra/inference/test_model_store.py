"""A folder and an S3 bucket store models alike; moto stands in for S3."""

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from classifier_infra.inference.model_store import FolderStore, NotStored, S3Store, StoreError, open_store

BUCKET = "models-of-the-team"


@pytest.fixture
def s3(reach):
    reach("http://127.0.0.1:9")  # no credentials but the test's own
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client
        client.close()


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path):
    if request.param == "folder":
        (tmp_path / "v1").mkdir()
        return FolderStore(tmp_path)
    return S3Store(request.getfixturevalue("s3"), BUCKET, "models")


def test_what_was_written_is_read(store):
    store.write("active.json", b"one")

    assert store.read("active.json").content == b"one"


def test_a_file_that_has_not_changed_is_not_read_again(store):
    store.write("active.json", b"one")
    tag = store.read("active.json").tag

    assert store.read("active.json", tag) is None


def test_a_file_that_has_changed_is_read_again(store):
    store.write("active.json", b"one")
    tag = store.read("active.json").tag

    store.write("active.json", b"two")

    assert store.read("active.json", tag).content == b"two"


def test_a_file_is_fetched_to_this_machine(store, tmp_path):
    store.write("v1/model.tar.gz", b"\0" * 3_000_000)

    store.fetch("v1/model.tar.gz", tmp_path / "fetched")

    assert (tmp_path / "fetched").read_bytes() == b"\0" * 3_000_000


def test_what_is_not_there_is_named(store, tmp_path):
    with pytest.raises(NotStored, match=r"accepted\.json: there is no such file"):
        store.read("accepted.json")
    with pytest.raises(NotStored, match=r"manifest\.json: there is no such file"):
        store.fetch("v1/manifest.json", tmp_path / "fetched")


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        FolderStore(tmp_path / "nowhere").write("active.json", b"one")
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_not_there_says_so(s3):
    with pytest.raises(StoreError, match=r"s3://nowhere/models/active\.json: NoSuchBucket"):
        S3Store(s3, "nowhere", "models").read("active.json")


def test_a_bucket_may_be_used_without_a_prefix(s3):
    S3Store(s3, BUCKET, "").write("active.json", b"one")

    assert s3.get_object(Bucket=BUCKET, Key="active.json")["Body"].read() == b"one"


@pytest.mark.usefixtures("_close_clients")
def test_a_place_is_a_bucket_or_a_folder(tmp_path, reach):
    reach("http://127.0.0.1:9")

    store = open_store("s3://models-of-the-team/models/")

    assert (store.bucket, store.prefix) == (BUCKET, "models")
    assert open_store(str(tmp_path)) == FolderStore(tmp_path)


@pytest.mark.usefixtures("_close_clients")
def test_a_bucket_that_is_out_of_reach_says_so(reach, monkeypatch):
    reach("http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")

    with pytest.raises(StoreError, match="EndpointConnectionError"):
        open_store("s3://models-of-the-team").read("active.json")


def test_a_refusal_of_the_bucket_is_reported_by_its_code():
    refusal = ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject")

    class Refusing:
        def get_object(self, **request):
            raise refusal

        put_object = get_object

    store = S3Store(Refusing(), BUCKET, "models")
    with pytest.raises(StoreError, match="AccessDenied"):
        store.read("active.json")
    with pytest.raises(StoreError, match="AccessDenied"):
        store.write("active.json", b"")


def test_an_uploaded_file_is_read_and_located(store, tmp_path):
    (tmp_path / "local").write_bytes(b"model")

    store.upload(tmp_path / "local", "v7/model.tar.gz")

    assert store.read("v7/model.tar.gz").content == b"model"
    assert store.locate("v7/model.tar.gz").endswith("/v7/model.tar.gz")


def test_a_file_that_is_not_there_cannot_be_uploaded(store, tmp_path):
    with pytest.raises(StoreError, match="no such file"):
        store.upload(tmp_path / "none", "v7/model.tar.gz")
    with pytest.raises(NotStored):
        store.read("v7/model.tar.gz")
