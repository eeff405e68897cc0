#!/bin/sh
# test.sh OBJECT PROGRAM links the tests with the library and runs them.
set -eu

mkdir -p "$(dirname "$2")"
cc -std=c99 -Iinclude -o "$2" tests/*.c "$1"
"./$2"
