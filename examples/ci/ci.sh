#!/bin/sh
# What every change to the library has to pass. Ends with the code of the first step that fails.
set -eu
cd "$(dirname "$0")"

for step in format lint build test; do
    echo "== $step"
    taskcache run --task "$step"
done
echo "== passed"
