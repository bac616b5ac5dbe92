"""A stand-in for AWS on this machine: moto over HTTP, with SageMaker jobs that really run.

    python tests/training/sagemaker/stand_in_aws.py --port 5055
    export AWS_ENDPOINT_URL=http://127.0.0.1:5055 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=…

moto stores and checks the requests. Training jobs train with the original fastText in its own environment, write
BlazingText's log, and write a model to the bucket; tuning jobs start training jobs; transform jobs classify; processing
jobs run their script once per machine. A job whose name ends in `-fails` fails, and one whose name ends in `-hangs`
runs until it is stopped.
"""

import argparse
import contextlib
import io
import json
import random
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import boto3
import fasttext
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from classifier_infra.local.container import JSON_LINES, answer_invocation  # noqa: E402
from training.blazingtext.hyperparameters import SUPERVISED, resolve  # noqa: E402
from training.blazingtext.local_run import run_locally  # noqa: E402

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
LOG_HEAD = """\
Arguments: train
[11/22/2026 10:00:00 WARNING 140508800825152] Loggers have already been setup.
[11/22/2026 10:00:00 INFO 140508800825152] nvidia-smi took: 0.02517843246459961 secs to identify 0 gpus
[11/22/2026 10:00:00 INFO 140508800825152] Running single machine CPU BlazingText training using {mode} mode.
Number of CPU sockets found in instance is  1
[11/22/2026 10:00:00 INFO 140508800825152] Processing /opt/ml/input/data/train/train.txt . File size: {megabytes} MB
Read 0M words
Number of words:  {words}
"""
LOG_END = """\
##### Alpha: 0.0000  Progress: 100.00%  Million Words/sec: 29.71 #####
Training finished.
Average throughput in Million words/sec: 20.08
Total training time in seconds: {seconds:.2f}
"""


class Reply(Exception):
    """Answers a request in place of moto."""

    def __init__(self, body, status="200 OK"):
        self.body, self.status = json.dumps(body).encode(), status


class StandIn:
    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.states = {}
        self.trials = {}
        self.url = None

    def client(self, service, region):
        return boto3.client(
            service, region, endpoint_url=self.url, aws_access_key_id="any", aws_secret_access_key="any"
        )

    # --- HTTP -------------------------------------------------------------------------------------------------------

    def __call__(self, environ, start_response):
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith("SageMaker."):
            return self.moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        region = environ["HTTP_AUTHORIZATION"].split("/")[2]
        own = getattr(self, target.removeprefix("SageMaker."), None)
        try:
            status, headers, answer = self._forward(environ, own is None or not getattr(own, "instead", False))
            if own and status.startswith("200"):
                changed = own(json.loads(body), json.loads(answer or b"{}"), region)
                answer = json.dumps(changed, default=str).encode()
        except Reply as reply:
            status, headers, answer = reply.status, [("Content-Type", "application/x-amz-json-1.1")], reply.body
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _forward(self, environ, is_known):
        if not is_known:
            return "200 OK", [("Content-Type", "application/x-amz-json-1.1")], b"{}"
        answer, status, headers = run_wsgi_app(self.moto, environ)
        return status, list(headers), b"".join(answer)

    # --- Training ---------------------------------------------------------------------------------------------------

    def CreateTrainingJob(self, request, answer, region):
        self._start(self._train, request["TrainingJobName"], request, region)
        return answer

    def DescribeTrainingJob(self, request, answer, region):
        state = dict(self.states[request["TrainingJobName"]])
        if state["TrainingJobStatus"] != "Completed":
            answer.pop("ModelArtifacts")
        answer.pop("TrainingEndTime" if state["TrainingJobStatus"] == "InProgress" else "", None)
        return answer | {"FinalMetricDataList": [], "SecondaryStatus": state["TrainingJobStatus"]} | state

    def StopTrainingJob(self, request, answer, region):
        self.states[request["TrainingJobName"]] = {"TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"}
        return {}

    StopTrainingJob.instead = True

    def _start(self, work, name, request, region):
        self.states[name] = {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting"}
        threading.Thread(target=self._run, args=(work, name, request, region), daemon=True).start()

    def _run(self, work, name, request, region):
        try:
            while name.endswith("-hangs") and self.states[name]["TrainingJobStatus"] == "InProgress":
                self.states[name] = {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Training"}
                time.sleep(0.05)
            if self.states[name]["TrainingJobStatus"] == "InProgress":
                self.states[name] = work(name, request, region)
        except Exception as error:
            reason = f"AlgorithmError: {error}"
            self.states[name] = {"TrainingJobStatus": "Failed", "SecondaryStatus": "Failed", "FailureReason": reason}

    def _train(self, name, request, region):
        s3, started = self.client("s3", region), time.time()
        with tempfile.TemporaryDirectory() as scratch:
            texts = {
                channel["ChannelName"]: self._fetch_channel(s3, channel, Path(scratch))
                for channel in request["InputDataConfig"]
            }
            given = dict(request["HyperParameters"])
            mode = given.pop("mode")
            megabytes = texts["train"].stat().st_size / 1e6
            if name.endswith("-fails"):
                self._log(region, name, LOG_HEAD.format(mode=mode, megabytes=megabytes, words=0))
                self._log(region, name, "[11/22/2026 10:00:01 ERROR 140508800825152] Customer Error: bad line 3")
                raise ValueError("Customer Error: bad line 3")
            done = run_locally(mode, texts["train"], Path(scratch) / "model", resolve(mode, given))
            self._log(region, name, LOG_HEAD.format(mode=mode, megabytes=megabytes, words=done.words))
            self._log(region, name, LOG_END.format(seconds=done.seconds))
            metrics = self._measure(region, name, done.model, texts) if mode == SUPERVISED else []
            self._leave_model(s3, request, name, done)
        return {
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "BillableTimeInSeconds": 60 + round(time.time() - started),
            "FinalMetricDataList": metrics,
        }

    def _fetch_channel(self, s3, channel, folder):
        bucket, _, prefix = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
        (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        path = folder / f"{channel['ChannelName']}.txt"
        s3.download_file(bucket, found["Key"], str(path))
        return path

    def _measure(self, region, name, model, texts):
        loaded, metrics = fasttext.load_model(str(model)), []
        for channel, path in texts.items():
            rows = [line.split(" ", 1) for line in path.read_text("utf-8").splitlines()]
            right = sum(loaded.f.predict(words + "\n", 1, 0.0, "strict")[0][1] == label for label, words in rows)
            accuracy = round(right / len(rows), 4)
            self._log(region, name, f"#{channel}_accuracy: {accuracy}\nNumber of {channel} examples: {len(rows)}\n")
            metrics.append({"MetricName": f"{channel}:accuracy", "Value": accuracy, "Timestamp": time.time()})
        return metrics

    def _leave_model(self, s3, request, name, done):
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as tar:
            tar.add(done.model, "vectors.bin" if done.vectors else "model.bin")
            if done.vectors:
                tar.add(done.vectors, "vectors.txt")
        bucket, _, prefix = request["OutputDataConfig"]["S3OutputPath"].removeprefix("s3://").partition("/")
        s3.put_object(Bucket=bucket, Key=f"{prefix}/{name}/output/model.tar.gz", Body=content.getvalue())

    def _log(self, region, name, text):
        logs, stream = self.client("logs", region), f"{name}/algo-1-1795341600"
        for create, arguments in (
            (logs.create_log_group, {"logGroupName": LOG_GROUP}),
            (logs.create_log_stream, {"logGroupName": LOG_GROUP, "logStreamName": stream}),
        ):
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                create(**arguments)
        events = [{"timestamp": round(time.time() * 1000), "message": line} for line in text.splitlines()]
        logs.put_log_events(logGroupName=LOG_GROUP, logStreamName=stream, logEvents=events)

    # --- Tuning -----------------------------------------------------------------------------------------------------

    def CreateHyperParameterTuningJob(self, request, answer, region):
        name = request["HyperParameterTuningJobName"]
        self.trials[name] = []
        self._start(self._tune, name, request, region)
        return answer

    def DescribeHyperParameterTuningJob(self, request, answer, region):
        state = self.states[request["HyperParameterTuningJobName"]]
        answer.pop("BestTrainingJob", None)
        return answer | {"HyperParameterTuningJobStatus": state["TrainingJobStatus"]} | only(state, "FailureReason")

    def ListTrainingJobsForHyperParameterTuningJob(self, request, answer, region):
        return {"TrainingJobSummaries": self.trials[request["HyperParameterTuningJobName"]]}

    ListTrainingJobsForHyperParameterTuningJob.instead = True

    def _tune(self, name, request, region):
        config, definition = request["HyperParameterTuningJobConfig"], dict(request["TrainingJobDefinition"])
        fixed, chance = definition.pop("StaticHyperParameters"), random.Random(config["RandomSeed"])
        sagemaker = self.client("sagemaker", region)
        for number in range(1, config["ResourceLimits"]["MaxNumberOfTrainingJobs"] + 1):
            values, job = draw(config["ParameterRanges"], chance), f"{name}-{number:03d}-{chance.getrandbits(32):08x}"
            sagemaker.create_training_job(TrainingJobName=job, HyperParameters=fixed | values, **definition)
            while self.states[job]["TrainingJobStatus"] == "InProgress":
                time.sleep(0.02)
            self.trials[name].append(self._summarise(job, values))
        return {"TrainingJobStatus": "Completed"}

    def _summarise(self, job, values):
        state = self.states[job]
        accuracy = [
            {"MetricName": metric["MetricName"], "Value": metric["Value"]}
            for metric in state.get("FinalMetricDataList", ())
            if metric["MetricName"] == "validation:accuracy"
        ]
        summary = {
            "TrainingJobName": job,
            "TrainingJobArn": f"arn:aws:sagemaker:eu-central-1:123456789012:training-job/{job}",
            "CreationTime": time.time(),
            "TrainingJobStatus": state["TrainingJobStatus"],
            "TunedHyperParameters": values,
        }
        return summary | ({"FinalHyperParameterTuningJobObjectiveMetric": accuracy[0]} if accuracy else {})

    def DescribeModel(self, request, answer, region):
        return {
            name: value for name, value in answer.items() if value != {}
        }  # moto adds an empty VpcConfig, AWS does not

    # --- Batch transform --------------------------------------------------------------------------------------------

    def CreateTransformJob(self, request, answer, region):
        self._start(self._classify, request["TransformJobName"], request, region)
        return answer

    def DescribeTransformJob(self, request, answer, region):
        state = self.states[request["TransformJobName"]]
        return answer | {"TransformJobStatus": state["TrainingJobStatus"]} | only(state, "FailureReason")

    def _classify(self, name, request, region):
        if name.endswith("-fails"):
            raise ValueError("ClientError: See job logs for more information")
        s3 = self.client("s3", region)
        described = self.client("sagemaker", region).describe_model(ModelName=request["ModelName"])
        model = self._load(s3, described["PrimaryContainer"]["ModelDataUrl"])
        source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        target = request["TransformOutput"]["S3OutputPath"].removeprefix("s3://").partition("/")[2]
        failed = []
        for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            answer = answer_invocation(model, JSON_LINES, body)
            if answer.status != 200:
                failed.append(found["Key"])
                continue
            joined = [
                json.dumps({"id": json.loads(line)["id"], "SageMakerOutput": json.loads(scores)})
                for line, scores in zip(body.splitlines(), answer.body.splitlines(), strict=True)
            ]
            key = f"{target}/{found['Key'].removeprefix(prefix)}.out"
            s3.put_object(Bucket=bucket, Key=key, Body="\n".join(joined).encode())
        if failed:
            raise ValueError(f"ClientError: See job logs for more information on {', '.join(failed)}")
        return {"TrainingJobStatus": "Completed"}

    def _load(self, s3, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        content = io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(fileobj=content) as tar:
                tar.extract("model.bin", folder, filter="data")
            return Scorer(fasttext.load_model(f"{folder}/model.bin"))

    # --- Processing -------------------------------------------------------------------------------------------------

    def CreateProcessingJob(self, request, answer, region):
        self._start(self._process, request["ProcessingJobName"], request, region)
        return answer

    def DescribeProcessingJob(self, request, answer, region):
        state = self.states[request["ProcessingJobName"]]
        return answer | {"ProcessingJobStatus": state["TrainingJobStatus"]} | only(state, "FailureReason")

    def _process(self, name, request, region):
        count = request["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        for machine in range(count):
            with tempfile.TemporaryDirectory() as folder:
                self._process_on(machine, count, request, region, Path(folder))
        return {"TrainingJobStatus": "Completed"}

    def _process_on(self, machine, count, request, region, root):
        s3, inside = self.client("s3", region), "/opt/ml/processing"
        for each in request["ProcessingInputs"]:
            source = each["S3Input"]
            bucket, _, prefix = source["S3Uri"].removeprefix("s3://").partition("/")
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix + "/").get("Contents", ())
            keys = sorted(found["Key"] for found in listed)
            if source["S3DataDistributionType"] == "ShardedByS3Key":
                keys = keys[machine::count]
            for key in keys:
                path = root / source["LocalPath"].removeprefix(f"{inside}/") / key.removeprefix(prefix + "/")
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, key, str(path))
        (root / "resourceconfig.json").write_text(json.dumps({"current_host": f"algo-{machine + 1}"}))
        (output,) = request["ProcessingOutputConfig"]["Outputs"]
        specification = request["AppSpecification"]
        script = root / specification["ContainerEntrypoint"][1].removeprefix(f"{inside}/")
        config = ["--config", root / "resourceconfig.json"]
        command = [sys.executable, "-I", script, "--root", root, *config, *specification.get("ContainerArguments", ())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"exit code {done.returncode}: {done.stderr[-500:]}")
        bucket, _, prefix = output["S3Output"]["S3Uri"].removeprefix("s3://").partition("/")
        for path in (root / "output").iterdir():
            s3.upload_file(str(path), bucket, f"{prefix}/{path.name}")


class Scorer:
    def __init__(self, model):
        self.model = model

    def scores(self, text, k):
        return self.model.f.predict(text + "\n", k, 0.0, "strict")


def draw(ranges, chance):
    """Draw a value from each range, as strings."""
    values = {}
    for each in ranges.get("IntegerParameterRanges", ()):
        values[each["Name"]] = str(chance.randint(int(each["MinValue"]), int(each["MaxValue"])))
    for each in ranges.get("ContinuousParameterRanges", ()):
        values[each["Name"]] = str(round(chance.uniform(float(each["MinValue"]), float(each["MaxValue"])), 4))
    return values


def only(state, *names):
    return {name: state[name] for name in names if name in state}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 (default) for a free one")
    stand_in = StandIn()
    port = parser.parse_args().port
    server = make_server("127.0.0.1", port, stand_in, threaded=True, request_handler=QuietHandler)
    stand_in.url = f"http://127.0.0.1:{server.port}"
    print(stand_in.url, flush=True)
    server.serve_forever()


class QuietHandler(MotoRequestHandler):
    def log_request(self, *arguments):
        pass


if __name__ == "__main__":
    main()
