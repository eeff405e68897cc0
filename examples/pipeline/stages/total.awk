# Adds orders and turnover up by region and quarter.
BEGIN {
    FS = OFS = "\t"
}

{
    quarter = int((substr($2, 6, 2) + 2) / 3)
    group = $1 OFS "Q" quarter
    orders[group]++
    cents[group] += $3 * $4
}

END {
    split("north east south west", regions, " ")
    for (region = 1; region <= 4; region++) {
        for (quarter = 1; quarter <= 4; quarter++) {
            group = regions[region] OFS "Q" quarter
            printf "%s\t%d\t%.0f\n", group, orders[group], cents[group] > totals
        }
    }
}
