#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Copyright (c) 2026 The DRM GPUVM project

"""Run the benchmark, and make a table and a picture of its results."""

import argparse
import collections
import math
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

OURS, LINUX = "ours", "linux"


class Results:
    """What bench printed: ns[pattern, n][core][repeat], and so on."""

    def __init__(self):
        self.sizes = collections.defaultdict(dict)
        self.ns = collections.defaultdict(lambda: {OURS: [], LINUX: []})
        self.allocs = collections.defaultdict(dict)
        self.instructions = collections.defaultdict(dict)

    def read(self, line):
        """Note a line; return the key, core and operations of a result."""
        kind, core, name, *fields = line.rstrip("\n").split("\t")
        if kind == "size":
            self.sizes[name][core] = int(fields[0])
            return None
        key = (name, int(fields[0]))
        self.ns[key][core].append(float(fields[2]))
        self.allocs[key][core] = float(fields[3])
        return key, core, int(fields[4])

    def ratios(self, key):
        """Linux / ours, for each pair of runs that followed each other."""
        times = self.ns[key]
        return sorted(b / a for a, b in zip(times[OURS], times[LINUX]))


def quartiles(values):
    """The first and the third quartile."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def run_bench(args, results):
    command = [args.bench] + bench_options(args, args.n)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bench:
        for line in bench.stdout:
            found = results.read(line)
            if found and sys.stderr.isatty():
                print(f"\r\033[K{found[0][0]}, {found[0][1]}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if bench.returncode:
        sys.exit(f"{args.bench} failed")


def bench_options(args, ns):
    options = []
    for n in ns:
        options += ["--n", str(n)]
    for pattern in args.pattern:
        options += ["--pattern", pattern]
    if args.repeat:
        options += ["--repeat", str(args.repeat)]
    return options + ["--seed", str(args.seed)]


def run_callgrind(args, results):
    """Count instructions: one dump for each call of a pattern, in order."""
    valgrind = shlex.split(args.valgrind)
    if not valgrind or not shutil.which(valgrind[0]):
        print("No valgrind: instructions are not counted.", file=sys.stderr)
        return

    limit = 1000 if args.quick else 30000
    ns = [n for n in args.n if n <= limit] or [min(args.n)]
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "callgrind")
        command = valgrind + [
            "-q", "--tool=callgrind", "--toggle-collect=bench_call",
            "--dump-after=bench_call", "--callgrind-out-file=" + out,
            args.bench, "--once"] + bench_options(args, ns)
        lines = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        counted = Results()
        runs = [found for found in map(counted.read, lines.splitlines()) if found]
        for number, (key, core, ops) in enumerate(runs, 1):
            results.instructions[key][core] = read_total(f"{out}.{number}") / ops


def read_total(path):
    with open(path, encoding="ascii") as dump:
        for line in dump:
            if line.startswith("totals:"):
                return int(line.split()[1])
    sys.exit(f"{path}: no totals")


def table(results):
    """The lines of the table."""
    head = f"{'pattern':<42}{'n':>8} {'ours':>8} {'linux':>8} {'ratio':>6}  {'spread':<13}" \
           f"{'instructions':>15} {'ratio':>6}"
    units = f"{'':<42}{'':>8} {'ns/op':>8} {'ns/op':>8} {'':>6}  {'quartiles':<13}" \
            f"{'ours    linux':>15}"
    yield head
    yield units
    yield "-" * len(head)
    for key in order(results):
        name, n = key
        times = results.ns[key]
        ratios = results.ratios(key)
        low, high = quartiles(ratios)
        line = f"{name:<42}{n or '':>8} {statistics.median(times[OURS]):>8.1f} " \
               f"{statistics.median(times[LINUX]):>8.1f} {statistics.median(ratios):>6.2f}  " \
               f"{f'{low:.2f} to {high:.2f}':<13}"
        count = results.instructions.get(key)
        if count:
            line += f"{count[OURS]:>7.0f} {count[LINUX]:>7.0f} {count[LINUX] / count[OURS]:>6.2f}"
        yield line.rstrip()

    yield ""
    yield f"{'':<42}{'':>8} {'ours':>8} {'linux':>8}"
    for name, size in results.sizes.items():
        yield f"{f'sizeof(struct {name})':<42}{'bytes':>8} {size[OURS]:>8} {size[LINUX]:>8}"
    for key, allocs in results.allocs.items():
        # Two operations, and the head of the list.
        if key[0] == "op lists that split":
            yield f"{'allocations per queued operation':<42}{'':>8} " \
                  f"{(allocs[OURS] - 1) / 2:>8.1f} {(allocs[LINUX] - 1) / 2:>8.1f}"
            break


def order(results):
    """By pattern, in the order of bench, and by n; those with n first."""
    names = list(dict.fromkeys(name for name, _ in results.ns))
    return sorted(results.ns, key=lambda key: (not key[1], names.index(key[0]), key[1]))


class Picture:
    """An SVG file."""

    OURS, LINUX, GRID = "#0b6e4f", "#b3541e", "#dddddd"
    SHADES = ("#95c8b5", "#3f9576", "#0b4f3a", "#052b1f")

    def __init__(self, width, height):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{width}" height="{height}" fill="white"/>']

    def text(self, x, y, text, anchor="start", size=12, fill="black"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
                          f'font-size="{size}" fill="{fill}">{text}</text>')

    def line(self, x1, y1, x2, y2, stroke, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{stroke}" stroke-width="{width}"/>')

    def rect(self, x, y, width, height, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                          f'height="{height:.1f}" fill="{fill}"/>')

    def curve(self, points, stroke):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{stroke}" '
                          f'stroke-width="2"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{stroke}"/>')

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(self.parts + ["</svg>", ""]))


def draw_ratios(picture, results, top):
    """Bars: the ratio for each pattern and n, with its quartiles."""
    left, width = 290, 560
    keys = order(results)
    sizes = sorted({n for _, n in keys if n})
    most = max(max(2, quartiles(results.ratios(key))[1]) for key in keys)
    # A single huge ratio must not flatten the others.
    most = min(most, 6)

    picture.text(10, top, "Linux's time / our time: median and quartiles", size=15)
    x = left
    for n, shade in zip(sizes, picture.SHADES):
        picture.rect(x, top + 10, 10, 10, shade)
        picture.text(x + 14, top + 19, f"{n:,} mappings")
        x += 150

    y = top + 34
    bottom = y + 14 * len(keys) + 6 * len({name for name, _ in keys})
    for tick in range(int(most) + 1):
        x = left + width * tick / most
        picture.line(x, y - 4, x, bottom, "black" if tick == 1 else picture.GRID)
        picture.text(x, bottom + 14, f"{tick}", "middle", 11)

    name = None
    for key in keys:
        if key[0] != name:
            name = key[0]
            y += 6
            picture.text(left - 8, y + 10, name, "end")
        ratios = results.ratios(key)
        ratio = statistics.median(ratios)
        low, high = (left + width * min(q, most) / most for q in quartiles(ratios))
        end = width * min(ratio, most) / most
        shade = picture.SHADES[sizes.index(key[1]) % 4] if key[1] else picture.SHADES[1]
        picture.rect(left, y, end, 11, shade)
        picture.line(low, y + 5.5, high, y + 5.5, "black")
        picture.text(max(left + end, high) + 6, y + 10, f"{ratio:.2f}", size=11)
        y += 14

    return bottom + 40


def draw_times(picture, results, top):
    """Curves: ns per operation over n, one small chart for each pattern."""
    names = list(dict.fromkeys(name for name, n in order(results) if n))
    width, height, columns = 200, 130, 4

    picture.text(10, top, "ns per operation over the number of mappings (both logarithmic)", size=15)
    picture.text(560, top, "ours", fill=picture.OURS)
    picture.text(600, top, "Linux", fill=picture.LINUX)
    for i, name in enumerate(names):
        x0 = 40 + i % columns * (width + 25)
        y0 = top + 35 + i // columns * (height + 50)
        draw_time(picture, results, name, (x0, y0, width - 20, height))

    return top + 35 + math.ceil(len(names) / columns) * (height + 50)


def draw_time(picture, results, name, box):
    left, top, width, height = box
    sizes = sorted(n for other, n in results.ns if other == name)
    medians = {core: [statistics.median(results.ns[name, n][core]) for n in sizes]
               for core in (OURS, LINUX)}
    low = math.floor(math.log10(min(map(min, medians.values()))))
    high = math.ceil(math.log10(max(map(max, medians.values()))) + 1e-9)

    def place(n, ns):
        spread = math.log(sizes[-1] / sizes[0]) or 1
        return (left + width * math.log(n / sizes[0]) / spread,
                top + height * (high - math.log10(ns)) / (high - low))

    picture.text(left, top - 6, name)
    for power in range(low, high + 1):
        y = place(sizes[0], 10 ** power)[1]
        picture.line(left, y, left + width, y, picture.GRID)
        picture.text(left - 4, y + 4, f"{10 ** power}", "end", 10)
    for n in sizes:
        picture.text(place(n, 10 ** low)[0], top + height + 14, f"{n:,}", "middle", 10)
    for core, colour in ((LINUX, picture.LINUX), (OURS, picture.OURS)):
        picture.curve([place(n, ns) for n, ns in zip(sizes, medians[core])], colour)


def draw(results, path):
    keys = order(results)
    names = {name for name, _ in keys}
    charts = len({name for name, n in keys if n})
    height = 120 + 14 * len(keys) + 6 * len(names) + 180 * math.ceil(charts / 4) + 40
    picture = Picture(930, height)
    bottom = draw_ratios(picture, results, 25)
    if charts:
        draw_times(picture, results, bottom + 10)
    picture.write(path)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True, help="the program")
    parser.add_argument("--valgrind", default="valgrind", help="empty: do not count instructions")
    parser.add_argument("--out", default=".", help="where to put bench.txt and bench.svg")
    parser.add_argument("--quick", action="store_true", help="20 seconds, up to 30,000 mappings")
    parser.add_argument("--n", type=int, action="append", help="number of mappings; may be repeated")
    parser.add_argument("--pattern", action="append", default=[], help="part of a pattern's name; may be repeated")
    parser.add_argument("--repeat", type=int, help="runs of each core")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not args.n:
        args.n = [1000, 30000] if args.quick else [1000, 30000, 1000000]
    if args.quick and not args.repeat:
        args.repeat = 10
    return args


def main():
    args = parse_args()
    results = Results()
    run_bench(args, results)
    if not results.ns:
        sys.exit("No such pattern.")
    run_callgrind(args, results)

    text = "\n".join(table(results)) + "\n"
    print(text, end="")
    with open(os.path.join(args.out, "bench.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    draw(results, os.path.join(args.out, "bench.svg"))


if __name__ == "__main__":
    main()
