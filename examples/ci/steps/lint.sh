#!/bin/sh
# Compiles without writing anything; a warning is an error.
set -eu

cc -std=c99 -Iinclude -Wall -Wextra -Wconversion -Werror -fsyntax-only src/*.c
echo "no warnings"
