#!/bin/sh
# sort.sh ORDERS SORTED puts the orders of a customer next to each other.
set -eu

sort -k 3,3 -k 1,1 -o "$2" "$1"
