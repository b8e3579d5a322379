#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# compare, sweep, check and validate.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

expect "compare marks the best and gives ratios" prints "*" compare -a gemmini -a tpu-v1 -w alexnet -w resnet18
expect "compare sums up several workloads" grep -q "geometric mean" out
expect "compare as JSON has the ratios of its totals" python3 - "$systole" <<'PY'
import json, subprocess, sys
run = [sys.argv[1], "compare", "-a", "gemmini", "-a", "tpu-v1", "-w", "alexnet", "-f", "json", "-q"]
chips = json.loads(subprocess.run(run, check=True, capture_output=True).stdout)["workloads"][0]["chips"]
a, b = chips[0]["totals"], chips[1]["totals"]
assert abs(b["seconds"] / a["seconds"] / chips[1]["ratios"]["seconds"] - 1) < 1e-9
assert ("seconds" in chips[1]["best"]) == (b["seconds"] < a["seconds"])
PY
expect "names may be joined by commas" bash -c \
    "cmp <('$systole' compare -a gemmini,tpu-v1 -w alexnet) <('$systole' compare -a gemmini -a tpu-v1 -w alexnet)"
expect "a chip that fails does not hide the others" bash -c \
    "'$systole' compare -a gemmini -a no-such-chip -w alexnet >part 2>/dev/null; [ \$? -eq 3 ] && grep -q 'no-such-chip failed' part && grep -q utilization part"

cat >space.yaml <<'YAML'
chips: [gemmini]
workloads: [alexnet, resnet18]
vary:
  core.array.rows, core.array.cols: {from: 8, to: 32, factor: 2}
  memory.scratchpad.capacity: [16 B, 256 KiB]
YAML
sweep() { "$systole" sweep space.yaml "$@" 2>/dev/null; }
for format in csv json table; do
    sweep -j1 -f $format >one
    expect "sweep gives the same bytes for -j0, -j1 and -j2: $format" bash -c \
        "cmp one <('$systole' sweep space.yaml -j0 -f $format) && cmp one <('$systole' sweep space.yaml -j2 -f $format)"
done
sweep -j2 -f csv >all.csv
expect "a failing candidate is a row with its error, the others have figures" python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("all.csv")))
assert [int(r["candidate"]) for r in rows] == list(range(12))
for r in rows:
    small = r["memory.scratchpad.capacity"] == "16 B"
    assert bool(r["error"]) == small and bool(r["cycles"]) == (not small), r
PY
{ sweep --shard 1/3 -f csv && sweep --shard 2/3 -f csv | tail -n +2 && sweep --shard 3/3 -f csv | tail -n +2; } >shards.csv
expect "shards put together are the whole" cmp all.csv shards.csv
expect "a shard that is not there is refused" refuses 2 "no shard 4 of 3" sweep space.yaml --shard 4/3
expect "a candidate equals a plain run" test \
    "$("$systole" run -a gemmini -w alexnet --set core.array.rows=8 --set core.array.cols=8 --set "memory.scratchpad.capacity=256 KiB" -f csv --totals -q | awk -F, '$3 == "cycles" { print $4 }')" = \
    "$(awk -F, '$1 == 1 { print $7 }' all.csv)"
sed 's/vary/vray/' space.yaml >typo.yaml
expect "a mistyped key of a space is refused with its line" refuses 3 "typo.yaml:3:1" sweep typo.yaml
sed 's/core.array.rows, core.array.cols/core.array.rosw/' space.yaml >wrong.yaml
expect "a sweep in which nothing works says why" refuses 3 "every candidate failed" sweep wrong.yaml -j2

"$systole" run -a gemmini -w alexnet --set core.array.rows=32 -f json -o base.json
expect "check passes on its own result" prints "ok" check base.json
python3 - <<'PY'
import json
b = json.load(open("base.json"))
b["totals"]["cycles"] = int(b["totals"]["cycles"] * 1.02)
json.dump(b, open("moved.json", "w"))
b["tool"]["model_revision"] = "2000-01-01.1"
json.dump(b, open("old.json", "w"))
PY
expect "a moved figure is exit status 1" exits 1 check moved.json --junit j.xml
expect "and is named" grep -q "^  cycles .*moved" out
expect "the JUnit file counts it" python3 - <<'PY'
import xml.etree.ElementTree as tree
suite = tree.parse("j.xml").getroot().find("testsuite")
assert suite.get("failures") == "1" and len(suite.findall("testcase")) == int(suite.get("tests"))
assert [c.get("name") for c in suite.findall("testcase") if c.find("failure") is not None] == ["cycles"]
PY
expect "a tolerance allows it" exits 0 check moved.json --tolerance cycles=3
expect "a tolerance of another figure does not" exits 1 check moved.json --tolerance energy_j=3
expect "another model is called a changed model" bash -c "'$systole' check old.json 2>/dev/null | grep -q 'model changed'"
expect "a figure that is none cannot be tolerated" refuses 2 "no figure 'cyles'" check base.json -t cyles=1
expect "a baseline that is not there is exit status 4" exits 4 check none.json
echo '{}' >object.json
expect "a file that is no result is refused" exits 3 check object.json
expect "several baselines are checked, and one that moved fails" exits 1 check base.json moved.json -j2

cp "$root/arch/chips/gemmini.yaml" mine.yaml
expect "a chip file of one's own is found again beside its baseline" bash -c "
    mkdir -p sub && cp mine.yaml sub && (cd sub && '$systole' run -a mine.yaml -w alexnet -f json -o b.json -q) && rm mine.yaml &&
    '$systole' check sub/b.json"

expect "validate lists its suites" prints "rtl" validate
expect "validate reports errors as JSON" bash -c \
    "'$systole' validate rtl -f json | python3 -c 'import json, sys; r = json.load(sys.stdin); assert r[\"schema\"] == \"systole.validation/1\" and r[\"rows\"] > 0'"
expect "validation against published chips lists each row" prints "TPU v1: die area (upper bound)" validate points
cat >list_only <<'STUB'
#!/bin/bash
[ "$1" != list ] || exec "$REAL" "$@"
STUB
chmod +x list_only
expect "the validation page has a section a suite and no other" bash -c "
    REAL='$systole' SYSTOLE=./list_only '$root/tests/tools/validation.sh' | sed -n 's/^## \([^ ]*\).*/\1/p' | uniq >sections &&
    '$systole' list suites --names | cmp - sections"
finish
