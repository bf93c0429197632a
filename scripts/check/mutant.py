# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Mistakes that are made on purpose, one at a time, and the files that they are made in.

A file of them is like tests/mutants.txt, whose head says what it has.
"""

import os
import re
import sys

CORE, HEADER, INTERNAL = "drm_gpuvm.c", "include/drm/drm_gpuvm.h", "drm_gpuvm_internal.h"


class Mutant:
    def __init__(self, text, path):
        self.name, *rows = text.splitlines()
        self.file, self.by = CORE, ""
        # Texts and what takes their place; the next pair begins where a "-" follows a "+".
        pairs = []
        for row in rows:
            if row.startswith("in: "):
                self.file = row[4:]
            elif row.startswith("by: "):
                self.by = row[4:]
            elif row.startswith("-"):
                if not pairs or pairs[-1][1]:
                    pairs.append(([], []))
                pairs[-1][0].append(row[1:])
            elif row.startswith("+") and pairs:
                pairs[-1][1].append(row[1:])
            elif row and not row.startswith("#"):
                sys.exit(f"{path}: {self.name}: what is {row!r}?")
        self.pairs = [("\n".join(old), "\n".join(new)) for old, new in pairs]

    def apply(self, sources):
        """The sources with the mistake; None if its place is not to be found."""
        text = sources[self.file]
        for old, new in self.pairs:
            if text.count(old) != 1:
                return None
            text = text.replace(old, new)
        return {**sources, self.file: text} if self.pairs else None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    """Only what differs, so that make sees it."""
    if not os.path.exists(path) or read(path) != text:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def read_sources(repo):
    return {file: read(f"{repo}/{file}") for file in (CORE, HEADER, INTERNAL)}


def read_mutants(path, word):
    """Those with WORD in their name."""
    mutants = [Mutant(text, path) for text in re.split(r"^== ", read(path), flags=re.M)[1:]]
    return [mutant for mutant in mutants if word in mutant.name]
