#!/bin/sh
# The classes of every shipped policy go out as a sheet and come back as they were.
set -eu
for policy in "$ROOT"/policy/rules/*.yaml; do
	"$MUNI" policy classes "$policy" --csv > classes.csv
	"$MUNI" policy import "$policy" classes.csv > back.yaml
	"$MUNI" policy check -q back.yaml > check.txt
	"$MUNI" policy diff "$policy" back.yaml > diff.txt
	grep -q '^no difference' diff.txt || { echo "$policy comes back otherwise:"; cat diff.txt; exit 1; }
done

# Edited as an officer would: another period, another title, one class more.
policy=$ROOT/policy/rules/hr-payroll.yaml
"$MUNI" policy classes "$policy" --csv > classes.csv
sed -e 's/^HR-TIME,Working time and leave,/HR-TIME,"Time sheets, ""and"" leave",/' \
    -e '/^HR-TIME/s/,P3Y,/,P4Y,/' classes.csv > edited.csv
printf 'HR-NEW,New class,,,,,,internal,low,modified,,,P1Y,keep,0,,,,,,\r\n' >> edited.csv
"$MUNI" policy import "$policy" edited.csv > edited.yaml
"$MUNI" policy classes edited.yaml --json > edited.json
grep -q 'Time sheets, \\"and\\" leave' edited.json
grep '"id": *"HR-TIME"' edited.json | grep -q '"period": *"P4Y"'
grep -q '"id": *"HR-NEW"' edited.json
[ "$(grep -c 'rules:' edited.yaml)" -eq 1 ]

# What is no class prints no policy, and says which field.
sed 's/P30Y/thirty years/' classes.csv > bad.csv
if "$MUNI" policy import "$policy" bad.csv > bad.yaml 2> bad.txt; then echo "a bad period was taken"; exit 1; fi
[ ! -s bad.yaml ] && grep -q period bad.txt
printf 'a,b\n1,2\n' > bad.csv
if "$MUNI" policy import "$policy" bad.csv > bad.yaml 2> bad.txt; then echo "no sheet of classes was taken"; exit 1; fi
grep -q '"id"' bad.txt
