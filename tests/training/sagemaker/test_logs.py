"""Parsing of BlazingText's logs; samples follow real jobs of 2019 and 2022."""

from hypothesis import given
from hypothesis import strategies as st

from training.sagemaker.logs import TrainingLog, read_log

EARLY_STOPPED = """\
Arguments: train
[07/31/2022 16:59:21 WARNING 140508800825152] Loggers have already been setup.
[07/31/2022 16:59:21 WARNING 140508800825152] Loggers have already been setup.
[07/31/2022 16:59:21 INFO 140508800825152] nvidia-smi took: 0.02517843246459961 secs to identify 0 gpus
[07/31/2022 16:59:21 INFO 140508800825152] Running single machine CPU BlazingText training using supervised mode.
Number of CPU sockets found in instance is  1
[07/31/2022 16:59:21 INFO 140508800825152] Processing /opt/ml/input/data/train/dbpedia.train . File size: 34.9919 MB
[07/31/2022 16:59:21 INFO 140508800825152] Processing /opt/ml/input/data/validation/dbpedia.validation . File size: 9 MB
Read 6M words
Number of words:  148854
Loading validation data from /opt/ml/input/data/validation/dbpedia.validation
Loaded validation data.
-------------- End of epoch: 5
Using 16 threads for prediction!
Validation accuracy: 0.968757
Validation accuracy improved! Storing best weights...
##### Alpha: 0.0214  Progress: 57.28%  Million Words/sec: 29.71 #####
-------------- End of epoch: 7
Using 16 threads for prediction!
Validation accuracy: 0.967943
Validation accuracy has not improved for last 1 epochs.
##### Alpha: 0.0000  Progress: 100.00%  Million Words/sec: 20.08 #####
Training finished.
Average throughput in Million words/sec: 20.08
Total training time in seconds: 3.10
#train_accuracy: 0.9869
Number of train examples: 112000
#validation_accuracy: 0.9719
Number of validation examples: 70000
""".splitlines()

OF_2019 = """\
Arguments: train
[05/12/2019 10:02:11 INFO 139724432058176] Running single machine CPU BlazingText training using supervised mode.
[05/12/2019 10:02:11 INFO 139724432058176] Processing /opt/ml/input/data/train/train.txt . File size: 34 MB
Number of words:  454906
##### Alpha: 0.0500  Progress: 0.01%  Million Words/sec: 1.20 #####
Total training time in seconds: 10.00
#train_accuracy: 0.972
Number of train examples: 560000
""".splitlines()


def test_a_log_has_accuracies_rows_words_and_time():
    log = read_log(EARLY_STOPPED)

    assert (log.train_accuracy, log.train_rows) == (0.9869, 112_000)
    assert (log.validation_accuracy, log.validation_rows) == (0.9719, 70_000)
    assert (log.words, log.seconds, log.progress) == (148_854, 3.10, 100.0)
    assert log.faults == ()


def test_accuracies_after_epochs_are_separate_from_the_final_one():
    log = read_log(EARLY_STOPPED)

    assert log.epoch_accuracies == (0.968757, 0.967943)
    assert log.epoch == 7


def test_a_log_of_2019_without_validation_is_read():
    log = read_log(OF_2019)

    assert (log.train_accuracy, log.train_rows) == (0.972, 560_000)
    assert log.validation_accuracy is None


def test_errors_are_found():
    line = "[07/31/2022 16:59:22 ERROR 140508800825152] Customer Error: Additional properties are not allowed"

    assert read_log([*EARLY_STOPPED[:9], line, ""]).faults == (line,)


def changes(lines):
    log, news = TrainingLog(), []
    for line in lines:
        before, log = log, log.read(line)
        news.append(log.describe_change(before))
    return [each for each in news if each]


def test_only_changes_that_matter_are_described():
    assert changes(EARLY_STOPPED) == [
        "148,854 words",
        "validation accuracy 0.9688 after epoch 5",
        "validation accuracy 0.9679 after epoch 7",
        "train accuracy 0.9869",
        "validation accuracy 0.9719",
    ]


@given(lines=st.lists(st.text() | st.sampled_from(EARLY_STOPPED)))
def test_no_line_breaks_the_parser(lines):
    log = read_log(lines)

    assert log.progress is None or log.progress >= 0
