#!/bin/sh
# Tests what another Python can change, on every other Python >= 3.11 of this machine: the syntax of every module, and
# the modules that only compute, which rest on the standard library (regular expressions, csv, json, archives, dates,
# dataclasses, multiprocessing). What remains is mostly other people's code, written for several Pythons already: boto3,
# Bolt, moto, Starlette. The functions themselves run on Lambda's Python in tests/infrastructure.
set -eu

tests="tests/test_architecture.py tests/bot/http tests/bot/policy tests/bot/queue tests/bot/slack tests/bot/triage
    tests/bot/ui tests/classifier_infra/model tests/classifier_infra/packaging tests/classifier_infra/pricing
    tests/training/blazingtext tests/training/data tests/training/linear"

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 11) else "")' 2>/dev/null || true; }

seen=" $(version_of .venv/bin/python) "
for python in $(command -v python3.11 python3.12 python3.13 python3.14 2>/dev/null) \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python; do
    [ -x "$python" ] || continue
    version=$(version_of "$python")
    case "$seen" in *" $version "*) continue ;; esac
    [ -n "$version" ] || continue
    seen="$seen$version "
    environment=".venv-$version"
    if [ ! -e "$environment/.ready" ] || [ requirements-dev.txt -nt "$environment/.ready" ]; then
        .venv/bin/python -m uv --quiet venv --allow-existing --python "$python" "$environment"
        if ! .venv/bin/python -m uv --quiet pip sync --python "$environment/bin/python" requirements-dev.txt; then
            echo "Python $version is here, but the dependencies cannot be installed for it: not tested."
            continue
        fi
        touch "$environment/.ready"
    fi
    echo "Python $version:"
    "$environment/bin/python" -W error -m compileall -q bot classifier_infra training
    # Each test that Hypothesis searches has been searched at length by the first interpreter.
    # shellcheck disable=SC2086  # $tests is a list
    HYPOTHESIS_PROFILE=brief "$environment/bin/python" -m pytest -q -n auto \
        -m "not browser and not node and not stack and not once" -o cache_dir="$environment/.pytest_cache" $tests
done
