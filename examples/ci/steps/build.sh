#!/bin/sh
# build.sh OBJECT compiles the library and links it into one object.
set -eu

mkdir -p "$(dirname "$1")"
cc -std=c99 -Iinclude -O2 -r -nostdlib -o "$1" src/*.c
