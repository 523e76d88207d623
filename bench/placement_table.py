#!/usr/bin/env python3
"""Prints what placement by measurement found, operator by operator and why, from the results of searches.

    bench/placement_table.py [--share 0.02] RESULTS.json...

Operators of one pattern (the same operators with the same attributes and shapes) are a row; those below the share of the time of the slower form
are left out and counted. Times are those of all of them in one run, in microseconds, from ONNX Runtime's profiles. Prints Markdown.
"""
import argparse
import json
import re

TIE = 0.05  # kernels whose times differ by less are as fast as each other


def short(pattern):
    """Without constants that the graph computes and with the shapes of what is read and of the weight alone."""
    text = re.sub(r"ConstantOfShape \[\d*\], ", "", pattern)
    return text.replace("kernel_shape ", "").replace("strides ", "stride ").removesuffix(" (float)")


def why(row):
    on_float, on_integers, conversions = row["float_ms"], row["integer_ms"], row["conversions_ms"]
    if row["verdict"] == "no integer kernel":
        return "no integer kernel" if on_integers == 0 else "nothing to quantize"
    faster = "integer" if on_integers < on_float else "float"
    times = max(on_float, on_integers) / max(min(on_float, on_integers), 1e-9)
    if abs(on_float - on_integers) <= TIE * max(on_float, on_integers):
        return "as fast; its neighbours decide"
    if faster == row["verdict"]:
        return f"{times:.1f} times as fast" + (f", which pays for {1000 * conversions:.0f} us of conversions" if conversions > 0 else "")
    return f"{faster} kernel {times:.1f} times as fast, but not the model with it (conversions, layouts)"


def table(results, share):
    placement = results.get("placement")
    if not placement:
        return "No placement was measured.\n"
    rows = sorted(placement["patterns"], key=lambda row: -max(row["float_ms"], row["integer_ms"]))
    total = sum(max(row["float_ms"], row["integer_ms"]) for row in rows)
    shown = [row for row in rows if max(row["float_ms"], row["integer_ms"]) >= share * total]
    lines = ["| operators | times | float us | integer us | conversions us | placed on | why |", "|---" * 7 + "|"]
    for row in shown:
        integers = "" if row["verdict"] == "no integer kernel" else f"{1000 * row['integer_ms']:.0f}"
        placed = "float" if row["verdict"] == "no integer kernel" else row["verdict"]
        lines.append(f"| {short(row['pattern'])} | {row['count']} | {1000 * row['float_ms']:.0f} | {integers} | {1000 * row['conversions_ms']:.0f} "
                     f"| {placed} | {why(row)} |")
    best, all_integer = placement["measured"][0], placement["measured"][-1]
    lines.append(f"\n{len(rows) - len(shown)} patterns with less than {100 * share:g} % of the time each are left out. {placement['models']} models measured: "
                 f"{best['ratio']:.2f} times float ({best['ratio_low']:.2f} to {best['ratio_high']:.2f}) with {best['float_nodes']} nodes left float, "
                 f"{all_integer['ratio']:.2f} with {all_integer['float_nodes']}.\n")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+")
    parser.add_argument("--share", type=float, default=0.02)
    given = parser.parse_args()
    for file in given.results:
        with open(file, encoding="utf-8") as opened:
            results = json.load(opened)
        print(f"**{results['model']}**\n\n{table(results, given.share)}")


if __name__ == "__main__":
    main()
