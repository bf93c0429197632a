# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The numbered cases of tests/split_cases.h, for check/doc and figures."""
import re


def read(root):
    """A list of (kind, number, name, old, req, new, operations)."""
    cases = []
    table = (root / 'tests/split_cases.h').read_text()
    for kind, body in re.findall(r'gt_(\w+)_cases\[\][^=]*= \{(.*?)\n\};', table, re.S):
        for case in re.findall(r'(\d+), "([^"]*)",\s*\.old = "([^"]*)",\s*\.req = "([^"]*)",\s*'
                               r'\.new = "([^"]*)",\s*\.ops = \{(.*?)\},\n\t\}', body, re.S):
            ops = re.findall(r'"([^"]*)"', case[5])
            cases.append((kind, *case[:2], *(p.rstrip() for p in case[2:5]), ops or ['(no operation)']))
    return cases
