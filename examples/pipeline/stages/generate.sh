#!/bin/sh
# generate.sh ROWS ORDERS CUSTOMERS writes orders, and the customers that they are from, sorted by their number.
set -eu

awk -v rows="$1" -v orders="$2" -v customers="$3" '
    # A fixed sequence: each number follows from the one before, and no product leaves what a double holds exactly.
    function draw(limit) {
        seed = (seed * 16807) % 2147483647
        return seed % limit
    }
    BEGIN {
        seed = 20240317
        count = 5000
        split("north east south west", regions, " ")
        for (number = 0; number < count; number++) {
            printf "customer-%06d\t%s\n", number, regions[draw(4) + 1] > customers
        }
        for (number = 1; number <= rows; number++) {
            printf "order-%08d\t2024-%02d-%02d\tcustomer-%06d\tproduct-%05d\t%d\t%d\n", number, \
                draw(12) + 1, draw(28) + 1, draw(count), draw(20000), draw(9) + 1, draw(9900) + 100 > orders
        }
    }'
