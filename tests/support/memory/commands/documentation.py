"""
COMMAND DOCS, as far as a client looks: the words of the options that not every server has.
"""

from __future__ import annotations

from typing import Final

from tests.support.memory.commands.table import TABLE, Call, command
from tests.support.memory.personality import Personality
from tests.support.memory.replies import Pairs, Reply

_TOKENS: Final = {
    b"XADD": ("NOMKSTREAM", "MAXLEN", "MINID", "LIMIT"),
    b"XTRIM": ("MAXLEN", "MINID", "LIMIT"),
    b"XREAD": ("COUNT", "BLOCK", "STREAMS"),
    b"XREADGROUP": ("GROUP", "COUNT", "BLOCK", "NOACK", "STREAMS"),
    b"XCLAIM": ("IDLE", "TIME", "RETRYCOUNT", "FORCE", "JUSTID", "LASTID"),
    b"XAUTOCLAIM": ("COUNT", "JUSTID"),
}


@command("COMMAND DOCS", -2)
def documentation(call: Call) -> Reply:
    return Pairs(
        [
            (name.lower(), _describe(name.upper(), call.personality))
            for name in call.words[2:]
            if TABLE.knows(name.upper(), call.personality)
        ]
    )


def _describe(name: bytes, personality: Personality) -> Reply:
    tokens = list(_TOKENS.get(name, ()))
    if name in (b"XADD", b"XTRIM") and personality.deletion:
        tokens += ["KEEPREF", "DELREF", "ACKED"]
    if name == b"XADD" and personality.idmp:
        tokens += ["IDMPAUTO", "IDMP"]
    if name == b"XREADGROUP" and personality.claim:
        tokens.append("CLAIM")
    arguments = [Pairs([(b"name", token.lower().encode()), (b"token", token.encode())]) for token in tokens]
    return Pairs([(b"summary", b"..."), (b"arguments", arguments)])
