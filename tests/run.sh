#!/bin/sh
# pytest, as `make test` runs it: sh tests/run.sh PYTHON [ARGUMENT …].
#
# Where CI is set to true, what failed among all the others is run once more by itself, and the run fails only if that
# fails again: CI's machines are shared, and what only their load brings out is named and to be mended, but holds nothing
# else back. On a developer's machine a test that fails has failed.
set -u

python=$1
shift
"$python" -m pytest "$@" && exit
status=$?
[ "$status" = 1 ] && [ "${CI:-}" = true ] || exit "$status"

echo "Failed among all the others. By themselves:"
"$python" -m pytest "$@" -n 0 --last-failed --last-failed-no-failures none || exit
echo "Failed among all the others, passed by themselves: their names are above. Mend them."
