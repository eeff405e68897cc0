#!/bin/sh
# join.sh SORTED CUSTOMERS JOINED gives each order the region of its customer, and keeps what is needed further on:
# region, month and day, quantity, price.
set -eu

join -t "$(printf '\t')" -1 3 -2 1 -o 2.2,1.2,1.5,1.6 "$1" "$2" > "$3"
