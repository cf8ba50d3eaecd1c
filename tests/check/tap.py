"""What the checks share: results as TAP, and C without comments."""

import re
import sys
from pathlib import Path

_counts = {"cases": 0, "failed": 0}


def case(name, problems):
    """A case that passes if there is no problem; each one is a line."""
    problems = list(problems)
    _counts["cases"] += 1
    _counts["failed"] += bool(problems)
    print(f"{'not ok' if problems else 'ok'} {_counts['cases']} - {name}")
    for problem in problems:
        for line in str(problem).splitlines():
            print(f"# {line}")


def skip(name, why):
    _counts["cases"] += 1
    print(f"ok {_counts['cases']} - {name} # SKIP {why}")


def done():
    print(f"1..{_counts['cases']}")
    sys.exit(1 if _counts["failed"] else 0)


def strip(text, strings=True):
    """C with comments blanked, and the insides of strings too unless they are
    wanted; lines stay where they were."""

    def blank(match):
        token = match[0]
        if token[0] in "\"'":
            return token[0] * 2 if strings else token
        return " " + "\n" * token.count("\n")

    return re.sub(
        r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*',
        blank,
        text,
        flags=re.DOTALL,
    )


def sources(folder):
    """The C files of a folder, by name."""
    return sorted(x for x in Path(folder).iterdir() if x.suffix in (".c", ".h"))


def declarations(top):
    """{function: (header's name, its declaration with single blanks)}."""
    found = {}
    for path in sources(top / "include" / "stompbroker"):
        text = strip(path.read_text())
        for match in re.finditer(r"\bSBK_API\s+([^;{]*);", text):
            declaration = " ".join(match[1].split())
            found[re.search(r"\b(sbk_\w+)\s*\(", declaration)[1]] = (
                path.name,
                declaration,
            )
    return found
