#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# systole cost: the example, whole questions, and what is answered to mistakes.
. "${SYSTOLE_DATA:-$PWD}/tests/tools/cli.sh"

checks() { # checks PYTHON: over the JSON in `out`: answers[NAME], given[ITEM], r
    python3 - "$1" <<'PY'
import json, sys
r = json.load(open("out"))
answers = {o["name"]: o["value"] for o in r["outputs"]}
given = {i["item"]: i for i in r["inputs"]}
ok = eval("(" + sys.argv[1] + ")")
if not ok:
    print("# not so:", sys.argv[1])
sys.exit(not ok)
PY
}
expect_json() { # expect_json PROMISE PYTHON ARGUMENT...
    local promise=$1
    shift
    expect "$promise" answers "$@"
}
answers() { # answers PYTHON ARGUMENT...
    local python=$1
    shift
    exits 0 cost -f json "$@" && checks "$python"
}

expect "the example prints its break-even" prints "payback_years             1.00  from launch" cost --example billion
expect "with its inputs" prints "saving_share?" cost --example billion
expect "and their sources" prints "the case this tool was built for" cost --example billion
expect_json "a billion, a fifth saved, 200 million: one year" \
    'answers["payback_years"] == 1 and answers["payback_bill_usd"] == 1e9 and answers["saving_usd_year"] == 2e8' --example billion
expect_json "half the saving takes two years" 'answers["payback_years"] == 2' --example billion --set-cost saving_share=0.1
expect_json "arriving a year late costs a year of savings" \
    'next(l["lost_usd"] for l in r["late"] if l["months"] == 12) == 2e8' --example billion
expect_json "every input of an answer is there with its source and confidence" \
    'all(given[i]["source"] and given[i]["confidence"] for o in r["outputs"] for i in o["inputs"])' --example billion

chip=(-a tpu-v4i -w alexnet --fidelity analytic)
expect_json "parts of a chip and of a unit of work add up to the total" \
    'abs(sum(v for k, v in answers.items() if k.startswith("chip_") and k != "chip_usd") - answers["chip_usd"]) < 1e-9 * answers["chip_usd"]
     and abs(sum(v for k, v in answers.items() if k.startswith("own_") and k.endswith("_m") and k != "own_tco_usd_m") - answers["own_tco_usd_m"]) < 1e-9
     and abs(sum(v for k, v in answers.items() if k.startswith("nre_") and k != "nre_total_usd") - answers["nre_total_usd"]) < 1' \
    "${chip[@]}" --incumbent a100 --volume 20000
cp out first
expect_json "a wafer at twice the price is a die at twice the price, and nothing else of the chip moves" \
    'abs(answers["die_usd"] / 2 - next(o["value"] for o in json.load(open("first"))["outputs"] if o["name"] == "die_usd")) < 1e-9
     and answers["chip_memory_usd"] == next(o["value"] for o in json.load(open("first"))["outputs"] if o["name"] == "chip_memory_usd")' \
    "${chip[@]}" --incumbent a100 --volume 20000 --set-cost wafer_usd=18692
expect_json "what was recalled or assumed is marked" \
    'given["incumbent_usd"]["low_confidence"] and not given["wafer_usd"]["low_confidence"] and next(o["low_confidence"] for o in r["outputs"] if o["name"] == "npv_usd")' \
    "${chip[@]}" --incumbent a100 --volume 20000
expect "also in the table" prints "incumbent_usd?" cost "${chip[@]}" --incumbent a100
expect "every shipped incumbent gives a cost" bash -c "
    for i in \$('$systole' list incumbents --names); do
        '$systole' cost ${chip[*]} --incumbent \$i -f csv | grep -q '^incumbent,incumbent_tco_usd_m,[0-9]' || { echo \"# \$i\"; exit 1; }
    done"
expect "the same seed gives the same bytes, another seed others" bash -c "
    run() { '$systole' cost --example billion --monte-carlo 500 --seed \$1 -f csv | grep '^monte-carlo'; }
    cmp <(run 5) <(run 5) && ! cmp -s <(run 5) <(run 6)"
expect_json "P10, P50 and P90 rise" \
    'all(m["p10"] <= m["p50"] and (m["p90"] == "never" or m["p50"] <= m["p90"]) for m in r["monte_carlo"]["outputs"])' \
    --example billion --monte-carlo 300
expect "CSV has a figure in every line" bash -c "'$systole' cost ${chip[*]} --incumbent h100 -f csv |
    python3 -c 'import csv, sys; rows = list(csv.DictReader(sys.stdin)); sys.exit(len(rows) < 40 or any(not row[\"value\"] for row in rows))'"

expect_json "models that move on to what suits the chip less cost savings" \
    'len(r["mix"]) == 3 and abs(sum(m["share_at_end"] for m in r["mix"]) - 1) < 1e-9 and r["mix"][2]["share_at_end"] > r["mix"][2]["share"]' \
    "${chip[@]}" --incumbent h100 --spend 3e9 --example moving-models

qwen=(-a tpu-v6e -w "$root/tests/golden/hf_configs/qwen3-8b.json" --fidelity analytic --incumbent tpu-v6e)
expect_json "what was measured on the incumbent takes the place of its roofline: decode, batch 8 at 2048" \
    'abs(answers["incumbent_rate"] - 8 / 15.864213e-3) < 0.01 and given["incumbent_units_per_s"]["confidence"] == "measured"' \
    "${qwen[@]}" --phase decode --batch 8 --context 2048
expect_json "prefill of 512 tokens" 'abs(answers["incumbent_rate"] - 512 / 17.019207e-3) < 1' \
    "${qwen[@]}" --phase prefill --batch 1 --context 512
expect_json "and nothing else: a batch that was not measured" '"incumbent_units_per_s" not in given' \
    "${qwen[@]}" --phase decode --batch 9 --context 2048
expect_json "a training run costs its tokens" \
    'abs(answers["own_run_usd"] - 1e12 / 1e6 * answers["own_tco_usd_m"]) < 1e-6 * answers["own_run_usd"]' \
    "${qwen[@]}" --phase prefill --batch 1 --context 512 --run-units 1e12

cat >llm.json <<'JSON'
{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 1024, "num_hidden_layers": 4,
 "num_attention_heads": 8, "num_key_value_heads": 8, "intermediate_size": 2816, "vocab_size": 32000,
 "torch_dtype": "bfloat16", "max_position_embeddings": 4096}
JSON
llm=(-a tpu-v4i -w llm.json --phase decode --context 256 --fidelity analytic)
expect_json "of several batches the cheapest is taken" \
    'len(r["points"]) == 3 and min(p["own_tco_usd_m"] for p in r["points"]) == answers["own_tco_usd_m"]' \
    "${llm[@]}" --batches 1,4,16 --incumbent h100
expect_json "a larger batch takes longer" '[p["units"] for p in r["points"]] == [1, 4, 256] and r["points"][1]["seconds"] < r["points"][2]["seconds"]' "${llm[@]}" --batches 1,4,256
limit=$(python3 -c 'import json; p = json.load(open("out"))["points"]; print((p[1]["seconds"] + p[2]["seconds"]) / 2)')
expect_json "a response time leaves the slower ones out" \
    'all(p["meets"] == (p["seconds"] <= r["response_s"]) for p in r["points"]) and r["points"][1]["meets"] and not r["points"][2]["meets"] and
     min((p for p in r["points"] if p["meets"]), key=lambda p: p["own_tco_usd_m"])["own_choice"]' \
    "${llm[@]}" --batches 1,4,256 --incumbent h100 --response-time "$limit"
expect "one that nothing meets is exit status 1" refuses 1 "no run of" cost "${llm[@]}" --batches 1,4 --response-time 1e-9

expect "nothing to ask is a usage error" refuses 2 "are missing" cost
expect "a chip without a workload too" refuses 2 "the workload, -w, is missing" cost -a tpu-v4i
expect "a mistyped item is answered with the nearest" refuses 3 "did you mean wafer_usd" cost --example billion --set-cost wafer_uds=1
expect "a figure beyond its limits is refused" refuses 3 "pue goes from 1 to 5" cost --example billion --set-cost pue=0.5
expect "a range that does not rise is refused" refuses 3 "rising numbers" cost --example billion --set-cost pue=2:1:3
expect "a mistyped incumbent is answered with the nearest" refuses 3 "did you mean 'h100'" cost "${chip[@]}" --incumbent h10
expect "a mistyped scenario too" refuses 3 "did you mean 'billion'" cost --example bilion
expect "volume and spend contradict each other" refuses 3 "both say how much work" cost "${chip[@]}" --incumbent a100 --volume 1 --spend 1
expect "memory without a capacity has no price" refuses 3 "memory_gb" cost -a gemmini -w alexnet --fidelity analytic
expect "an unknown yield model is refused" refuses 2 "yield model 'x'" cost --example billion --yield x
expect "an unknown format is refused" refuses 2 "cannot be written as 'html'" cost --example billion -f html
expect "batches must be numbers" refuses 2 "--batches" cost "${llm[@]}" --batches 1,,2
expect "and not beside --batch" refuses 2 "do not go together" cost "${llm[@]}" --batches 1,2 --batch 3
expect "too many samples are refused" refuses 2 "1 to 1000000 samples" cost --example billion --monte-carlo 1000001
expect "a negative response time is refused" refuses 2 "cannot be below 0" cost --example billion --response-time -1
cat >own.yaml <<'YAML'
name: own
rows:
  - {item: wafer_usd, node: 7 nm, figure: 9000, low: 8000, high: 7000, source: mine, confidence: assumed}
YAML
expect "a wrong table is answered with its line" refuses 3 "own.yaml:3" cost "${chip[@]}" --prices own.yaml
sed -i 's/high: 7000/high: 9900/' own.yaml
expect_json "a table of one's own wins" 'given["wafer_usd"]["value"] == 9000 and given["wafer_usd"]["source"] == "mine"' \
    "${chip[@]}" --prices own.yaml
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then # a terminal can be had
    fits() { # WIDTH ARGUMENT...
        local width=$1
        shift
        TERM=xterm NO_COLOR=1 script -qec "stty cols $width; '$systole' cost $*" /dev/null </dev/null | tr -d '\r' >wide
        awk -v width="$width" 'length($0) > width { print "# " $0; bad = 1 } END { exit bad || NR < 30 }' wide
    }
    for width in 80 120; do
        expect "the example fits a terminal of $width columns" fits $width --example billion --monte-carlo 50
        expect "an incumbent and a mix of work too" fits $width "${chip[@]}" --incumbent h100 --spend 3e9 --example moving-models --monte-carlo 50
    done
fi
finish
