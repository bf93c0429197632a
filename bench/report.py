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
STRUCTURES = {
    "drm_gpuva": "mapping: struct drm_gpuva",
    "drm_gpuvm_bo": "vm_bo: struct drm_gpuvm_bo",
    "drm_gpuvm": "VM: struct drm_gpuvm",
    "drm_gpuva_op": "operation: struct drm_gpuva_op",
}


class Results:
    """What bench printed: ns[pattern, n][core][repeat], and so on."""

    def __init__(self):
        self.sizes = collections.defaultdict(dict)
        self.ns = collections.defaultdict(lambda: {OURS: [], LINUX: []})
        self.allocs = collections.defaultdict(dict)
        self.bytes = collections.defaultdict(dict)
        self.instructions = collections.defaultdict(dict)

    def read(self, line):
        """Note a line; return the key, core and operations of a result."""
        kind, core, name, *fields = line.rstrip("\n").split("\t")
        if kind == "size":
            self.sizes[name][core] = f"{fields[0]} ({fields[1]})"
            return None
        key = (name, int(fields[0]))
        ops = int(fields[3])
        self.ns[key][core].append(float(fields[2]))
        self.allocs[key][core] = int(fields[4]) / ops
        self.bytes[key][core] = int(fields[5]) / ops
        return key, core, ops

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
    """Run the program and read its results as they come."""
    command = shlex.split(args.bench) + bench_options(args, args.n)
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


def count_instructions(args, results):
    """Count instructions, of fewer mappings, as that takes longer."""
    limit = 1000 if args.quick else 30000
    ns = [n for n in args.n if n <= limit] or [min(args.n)]
    if args.count:
        counted = Results()
        command = shlex.split(args.count) + ["--once"] + bench_options(args, ns)
        lines = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        for found in filter(None, map(counted.read, lines.splitlines())):
            key, core, _ = found
            results.instructions[key][core] = counted.ns[key][core][-1]
    elif args.valgrind:
        run_callgrind(args, ns, results)


def run_callgrind(args, ns, results):
    """One dump for each call of a pattern, in order."""
    valgrind = shlex.split(args.valgrind)
    if not shutil.which(valgrind[0]):
        print("No valgrind: instructions are not counted.", file=sys.stderr)
        return

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
    head = f"{'pattern':<42}{'n':>8} {'ours':>8} {'linux':>8} {'ratio':>6}  {'spread':<13}"
    units = f"{'':<42}{'':>8} {'ns/op':>8} {'ns/op':>8} {'':>6}  {'quartiles':<13}"
    if results.instructions:
        head += f"{'instructions':>15} {'ratio':>6}"
        units += f"{'ours    linux':>15}"
    yield head.rstrip()
    yield units.rstrip()
    yield "-" * len(head.rstrip())
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
    yield from memory_table(results)


def memory_table(results):
    """What is asked for, and in parentheses what kmalloc() gives for it."""
    rows = [(text, "bytes", results.sizes[name]) for name, text in STRUCTURES.items()]

    # A list of two operations: a remap with two parts, and a map.
    key = min((key for key in results.allocs if key[0] == "op lists that split"), default=None)
    if key and all(results.allocs[key].values()):
        allocs, size = results.allocs[key], results.bytes[key]
        rows += [
            ("listed operation, its share of the list", "bytes", {core: f"({size[core] / 2:.0f})" for core in size}),
            ("listed operation, without the head", "allocs", {core: f"{(allocs[core] - 1) / 2:.1f}" for core in size})]

    yield f"{'memory (as kmalloc() rounds it up)':<42}{'':>8} {OURS:>12} {LINUX:>12}"
    yield "-" * 76
    for text, unit, values in rows:
        yield f"{text:<42}{unit:>8} {values[OURS]:>12} {values[LINUX]:>12}"


def order(results):
    """By pattern, in the order of bench, and by n; those with n first."""
    names = list(dict.fromkeys(name for name, _ in results.ns))
    return sorted(results.ns, key=lambda key: (not key[1], names.index(key[0]), key[1]))


class Picture:
    """An SVG file, for light and for dark viewers; its colours are classes of its style sheet."""

    WIDTH = 960
    SHADES = ("s0", "s1", "s2", "s3")
    STYLE = """
  text { font-family: sans-serif; font-size: 12px; fill: #1f2328 }
  .title { font-size: 15px; font-weight: bold }
  .small { font-size: 10px; fill: #59636e }
  .page { fill: #ffffff }
  .grid { stroke: #d9dee3 } .axis { stroke: #59636e } .mark { stroke: #1f2328 }
  .s0 { fill: #8fcdb4 } .s1 { fill: #3f9d79 } .s2 { fill: #0f6a4b } .s3 { fill: #06382a }
  .ours { stroke: #0f7a55; fill: #0f7a55 } .linux { stroke: #c2571a; fill: #c2571a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9aa4ae }
    .page { fill: #0d1117 }
    .grid { stroke: #2b3138 } .axis { stroke: #9aa4ae } .mark { stroke: #e6edf3 }
    .s0 { fill: #1f6b4f } .s1 { fill: #2f9a71 } .s2 { fill: #62c9a0 } .s3 { fill: #a5e6cb }
    .ours { stroke: #3fc08e; fill: #3fc08e } .linux { stroke: #f0883e; fill: #f0883e }
  }
  polyline { stroke-width: 2 } .ours.path, .linux.path { fill: none }
"""

    def __init__(self):
        self.parts = []

    def text(self, x, y, text, anchor="start", kind=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
                          + (f' class="{kind}"' if kind else "") + f'>{text}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def rect(self, x, y, width, height, kind):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}"/>')

    def curve(self, points, kind):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" class="{kind} path"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>')

    def write(self, path, height):
        head = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.WIDTH}" height="{height:.0f}" '
                f'viewBox="0 0 {self.WIDTH} {height:.0f}">',
                "<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->",
                f"<style>{self.STYLE}</style>",
                f'<rect width="{self.WIDTH}" height="{height:.0f}" class="page"/>']
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(head + self.parts + ["</svg>", ""]))


def draw_ratios(picture, results, title, top):
    """Bars from 1, on a logarithmic scale: the ratio for each pattern and n, with its quartiles."""
    left, width = 300, picture.WIDTH - 300 - 60
    keys = order(results)
    sizes = sorted({n for _, n in keys if n})
    ends = [q for key in keys for q in quartiles(results.ratios(key))]
    low, high = min(0.8, *ends), max(2, *ends)

    def place(ratio):
        return left + width * math.log(ratio / low) / math.log(high / low)

    picture.text(20, top, f"How many times faster than Linux's own core, {title}", kind="title")
    picture.text(20, top + 20, "time of Linux's / time of ours, median and quartiles")
    x = left + 60
    for n, shade in zip(sizes, picture.SHADES):
        picture.rect(x, top + 10, 11, 11, shade)
        picture.text(x + 16, top + 20, f"{n:,} mappings")
        x += 140

    y = top + 38
    names = {name for name, _ in keys}
    bottom = y + 15 * len(keys) + 7 * len(names) + (10 if len({not n for _, n in keys}) > 1 else 0)
    ticks = [tick for tick in (0.125, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256, 512)
             if low <= tick <= high]
    for tick in ticks:
        picture.line(place(tick), y, place(tick), bottom, "axis" if tick == 1 else "grid")
        picture.text(place(tick), bottom + 15, f"{tick:g}", "middle", "small")

    last = None
    for key in keys:
        name, n = key
        if last and name != last[0]:
            y += 7 if n or not last[1] else 17
        if not last or name != last[0]:
            many = len([other for other in keys if other[0] == name])
            picture.text(left - 8, y + 10 + 7.5 * (many - 1), name, "end")
        last = key
        ratios = results.ratios(key)
        ratio = statistics.median(ratios)
        first, third = map(place, quartiles(ratios))
        begin, end = sorted((place(1), place(ratio)))
        picture.rect(begin, y, end - begin, 12, picture.SHADES[sizes.index(n) % 4] if n else picture.SHADES[1])
        picture.line(first, y + 6, third, y + 6, "mark")
        picture.text(max(end, third) + 5, y + 10, f"{ratio:.2f}")
        y += 15

    return bottom + 50


def draw_times(picture, results, top):
    """Curves: ns per operation over n, one small chart for each pattern, all to the same scale."""
    names = list(dict.fromkeys(name for name, n in order(results) if n))
    medians = [statistics.median(times) for (_, n), cores in results.ns.items() if n for times in cores.values()]
    # With room for the numbers.
    scale = (math.log10(min(medians)) - 0.4, math.log10(max(medians)) + 0.4)
    width, height, columns = 225, 190, 4

    picture.text(20, top, "Nanoseconds per operation over the number of mappings", kind="title")
    for x, core, name in ((560, OURS, "ours"), (640, LINUX, "Linux's own")):
        picture.curve([(x, top - 4), (x + 20, top - 4)], core)
        picture.text(x + 28, top, name)
    for i, name in enumerate(names):
        draw_time(picture, results, name, scale,
                  (55 + i % columns * width, top + 40 + i // columns * height, width - 50, height - 60))

    return top + 40 + math.ceil(len(names) / columns) * height


def draw_time(picture, results, name, scale, box):
    """Both axes are logarithmic."""
    left, top, width, height = box
    low, high = scale
    sizes = sorted(n for other, n in results.ns if other == name)

    def place(n, ns):
        spread = math.log(sizes[-1] / sizes[0]) or 1
        return (left + 15 + (width - 30) * math.log(n / sizes[0]) / spread,
                top + height * (high - math.log10(ns)) / (high - low))

    picture.text(left, top - 10, name)
    for power in range(math.ceil(low), math.floor(high) + 1):
        y = place(sizes[0], 10 ** power)[1]
        picture.line(left, y, left + width, y, "grid")
        picture.text(left - 6, y + 4, f"{10 ** power:,}", "end", "small")
    for n in sizes:
        picture.text(place(n, 1)[0], top + height + 15, f"{n:,}", "middle", "small")
    for core, below in ((LINUX, False), (OURS, True)):
        points = [place(n, statistics.median(results.ns[name, n][core])) for n in sizes]
        picture.curve(points, core)
        for n, (x, y) in zip(sizes, points):
            picture.text(x, y + (15 if below else -8), f"{statistics.median(results.ns[name, n][core]):.0f}",
                         "middle", "small")


def draw(results, title, path):
    picture = Picture()
    bottom = draw_ratios(picture, results, title, 30)
    if any(n for _, n in results.ns):
        bottom = draw_times(picture, results, bottom)
    picture.write(path, bottom)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", required=True, help="the program, or a command that runs it elsewhere")
    parser.add_argument("--valgrind", default="valgrind", help="empty: do not count instructions")
    parser.add_argument("--count", help="like --bench, but gives instructions instead of ns; in place of valgrind")
    parser.add_argument("--title", default="in user space", help="where it ran, for the picture")
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
    count_instructions(args, results)

    text = "\n".join(table(results)) + "\n"
    print(text, end="")
    with open(os.path.join(args.out, "bench.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    draw(results, args.title, os.path.join(args.out, "bench.svg"))


if __name__ == "__main__":
    main()
