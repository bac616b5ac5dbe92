#!/bin/sh
# Runs the tests that need no browser, Node or sandbox on every other Python >= 3.11 of this machine, but those that
# take long and say the same on each (`once`).
set -eu

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
    HYPOTHESIS_PROFILE=brief "$environment/bin/python" -m pytest -q -n auto \
        -m "not browser and not node and not stack and not once" -o cache_dir="$environment/.pytest_cache"
done
