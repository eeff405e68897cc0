"""report.py TOTALS REPORT prints a table of the turnover and writes the same numbers as JSON."""

import json
import sys

totals, report = sys.argv[1:]
turnover = {}
orders = 0
with open(totals, encoding="utf-8") as lines:
    for line in lines:
        region, quarter, count, cents = line.rstrip("\n").split("\t")
        turnover.setdefault(region, {})[quarter] = int(cents)
        orders += int(count)

print(f"{'region':8}" + "".join(f"{quarter:>16}" for quarter in ("Q1", "Q2", "Q3", "Q4")))
for region, quarters in turnover.items():
    print(f"{region:8}" + "".join(f"{cents / 100:16.2f}" for cents in quarters.values()))
print(f"{orders} orders")

with open(report, "w", encoding="utf-8") as file:
    json.dump({"orders": orders, "turnover": turnover}, file, indent=2)
    file.write("\n")
