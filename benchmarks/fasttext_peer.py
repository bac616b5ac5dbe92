"""Train the original fastText and predict; runs in the environment that has it.

Standard input: {"train": file, "texts": file, "arguments": {…}}; standard output: {"labels": […], "seconds": …,
"processor_seconds": …}, with the times of training alone.
"""

import json
import sys
import time
from pathlib import Path

import fasttext

question = json.load(sys.stdin)
start, start_of_processor = time.perf_counter(), time.process_time()
model = fasttext.train_supervised(question["train"], verbose=0, **question["arguments"])
seconds, processor_seconds = time.perf_counter() - start, time.process_time() - start_of_processor
lines = Path(question["texts"]).read_text(encoding="utf-8").split("\n")[:-1]
answers = [model.f.predict(line + "\n", 1, 0.0, "strict") for line in lines]
labels = [found[0][1].removeprefix("__label__") for found in answers]
json.dump({"labels": labels, "seconds": seconds, "processor_seconds": processor_seconds}, sys.stdout)
