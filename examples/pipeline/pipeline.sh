#!/bin/sh
# Turnover by region: make the data, sort it, join it, add it up, report it. Every stage is cached by the bytes that
# it reads and by the script that it is.
#
#   ./pipeline.sh            900000 orders, more than 50 MB
#   ROWS=1000 ./pipeline.sh
set -eu
cd "$(dirname "$0")"

# Sorting and comparing are by bytes, wherever this runs.
export LC_ALL=C
# This is `-e` for each of them: what the programs of the stages look at. Nothing else of the environment counts.
export TASKCACHE_ENV='PATH:LC_ALL:TZ:PYTHON*:AWK*'

mkdir -p build

taskcache run --task generate -o build/orders.tsv -o build/customers.tsv -- \
    ./stages/generate.sh "${ROWS:-900000}" build/orders.tsv build/customers.tsv

taskcache run --task sort -i build/orders.tsv -o build/sorted.tsv -- \
    ./stages/sort.sh build/orders.tsv build/sorted.tsv

taskcache run --task join -i build/sorted.tsv -i build/customers.tsv -o build/joined.tsv -- \
    ./stages/join.sh build/sorted.tsv build/customers.tsv build/joined.tsv

taskcache run --task total -i build/joined.tsv -o build/totals.tsv -- \
    awk -f stages/total.awk -v totals=build/totals.tsv build/joined.tsv

taskcache run --task report -i build/totals.tsv -o build/report.json -- \
    python3 stages/report.py build/totals.tsv build/report.json
