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
        self.file, self.by, old, new = CORE, "", [], []
        for row in rows:
            if row.startswith("in: "):
                self.file = row[4:]
            elif row.startswith("by: "):
                self.by = row[4:]
            elif row.startswith("-"):
                old.append(row[1:])
            elif row.startswith("+"):
                new.append(row[1:])
            elif row and not row.startswith("#"):
                sys.exit(f"{path}: {self.name}: what is {row!r}?")
        self.old, self.new = "\n".join(old), "\n".join(new)

    def apply(self, sources):
        """The sources with the mistake; None if its place is not to be found."""
        if not self.old or sources[self.file].count(self.old) != 1:
            return None
        return {**sources, self.file: sources[self.file].replace(self.old, self.new)}


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
