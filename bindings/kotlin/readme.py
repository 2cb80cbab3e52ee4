#!/usr/bin/env python3
"""Takes out of README.md what its tests run.

`readme.py stranger` prints the first block of shell commands; `readme.py programs FOLDER` writes every block of Kotlin and of
Java to a file of its own: a program as it stands, statements inside a function.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What a block of statements may take for granted: what the blocks before it have made.
FRAME = """@file:Suppress("unused", "UNUSED_VARIABLE", "UNUSED_PARAMETER")

package readme.block{number}

import im.client.*
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.*
import kotlin.time.Duration.Companion.seconds

suspend fun CoroutineScope.block(client: ImClient, root: String) {{
{body}
}}
"""

JAVA_FRAME = """package readme;

import im.client.*;
import java.util.concurrent.TimeUnit;

class JavaBlock{number} {{
    void block(String root) throws Exception {{
{body}
    }}
}}
"""


def blocks(language: str) -> list[str]:
    text = (HERE / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def program(number: int, block: str) -> str:
    if "fun main(" in block:
        return f"package readme.block{number}\n\n{block}"
    return FRAME.format(number=number, body=block)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["stranger"]:
            print(blocks("sh")[0], end="")
        case ["programs", folder]:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for number, block in enumerate(blocks("kotlin"), start=1):
                (Path(folder) / f"Block{number}.kt").write_text(program(number, block))
            for number, block in enumerate(blocks("java"), start=1):
                (Path(folder) / f"JavaBlock{number}.java").write_text(JAVA_FRAME.format(number=number, body=block))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
