#!/bin/sh
# format-check.sh FOLDER... accepts C files without tabs, blanks at line ends, and lines of more than 100 characters.
set -eu

find "$@" -name '*.[ch]' | LC_ALL=C sort | {
    faults=0
    while read -r file; do
        awk '
            function complain(fault) {
                printf "%s:%d: %s\n", FILENAME, FNR, fault
                faults++
            }
            /\t/ { complain("a tab") }
            / $/ { complain("a blank at the end of the line") }
            length($0) > 100 { complain("more than 100 characters") }
            END { exit faults > 0 }
        ' "$file" || faults=1
    done
    exit "$faults"
}
