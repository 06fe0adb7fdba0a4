"""
The connection itself: greeting, name, database, and what others do to it.
"""

from __future__ import annotations

from tests.support.memory.commands.table import Call, command, text
from tests.support.memory.identifiers import integer
from tests.support.memory.replies import NO_ARRAY, OK, Pairs, Refused, Reply, Simple


@command("PING", -1)
def ping(call: Call) -> Reply:
    return call.words[1] if len(call.words) > 1 else Simple(b"PONG")


@command("ECHO", 2)
def echo(call: Call) -> Reply:
    return call.words[1]


@command("SELECT", 2)
def select(call: Call) -> Reply:
    number = integer(call.words[1], "ERR invalid DB index")
    if call.server.node is not None:
        raise Refused("ERR SELECT is not allowed in cluster mode")
    if not 0 <= number < 16:
        raise Refused("ERR DB index is out of range")
    call.connection.database = number
    return OK


@command("AUTH", -2)
def authenticate(call: Call) -> Reply:
    if call.server.password is None and len(call.words) == 2:
        raise Refused(
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?"
        )
    user = call.words[1] if len(call.words) == 3 else b"default"
    _check_password(call, user, call.words[-1])
    return OK


def _check_password(call: Call, user: bytes, password: bytes) -> None:
    if user != b"default" or call.server.password not in (None, password):
        raise Refused("WRONGPASS invalid username-password pair or user is disabled.")
    call.connection.authenticated = True


@command("HELLO", -1)
def hello(call: Call) -> Reply:
    words = call.words[1:]
    protocol = call.connection.protocol
    name = None
    if words:
        protocol = integer(words.pop(0), "ERR Protocol version is not an integer or out of range")
        if protocol not in (2, 3):
            raise Refused("NOPROTO unsupported protocol version")
    while words:
        option = words.pop(0).upper()
        if option == b"AUTH" and len(words) >= 2:
            _check_password(call, words.pop(0), words.pop(0))
        elif option == b"SETNAME" and words:
            name = words.pop(0)
        else:
            raise Refused(f"ERR Syntax error in HELLO option '{text(option).lower()}'")
    if not call.connection.authenticated:
        raise Refused(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
            "option can be used to authenticate the client and select the RESP protocol version at the same time"
        )
    if name is not None:
        call.connection.name = name
    call.connection.protocol = protocol
    personality, node = call.personality, call.server.node
    return Pairs(
        (
            (b"server", personality.product.encode()),
            (b"version", personality.version.encode()),
            (b"proto", protocol),
            (b"id", call.connection.number),
            (b"mode", call.server.mode),
            (b"role", b"master" if node is None or node.leads else b"replica"),
            (b"modules", []),
        )
    )


@command("CLIENT ID", 2)
def identify(call: Call) -> Reply:
    return call.connection.number


@command("CLIENT SETNAME", 3)
def set_name(call: Call) -> Reply:
    call.connection.name = call.words[2]
    return OK


@command("CLIENT GETNAME", 2)
def get_name(call: Call) -> Reply:
    return call.connection.name or None


@command("CLIENT SETINFO", 4, has=lambda personality: personality.modern)
def set_information(call: Call) -> Reply:
    if call.words[2].upper() not in (b"LIB-NAME", b"LIB-VER"):
        raise Refused(f"ERR Unrecognized option '{text(call.words[2])}'")
    return OK


@command("CLIENT KILL", -3)
def kill(call: Call) -> Reply:
    filters = call.words[2:]
    if len(filters) % 2:
        raise Refused("ERR syntax error")
    victims = [victim for victim in call.server.connections.values() if victim is not call.connection]
    for name, value in zip(filters[::2], filters[1::2], strict=True):
        if name.upper() == b"ID":
            number = integer(value, "ERR client-id should be greater than 0")
            victims = [victim for victim in victims if victim.number == number]
        elif name.upper() == b"ADDR":
            victims = [victim for victim in victims if victim.address == value]
        else:
            raise Refused("ERR syntax error")
    for victim in victims:
        victim.close()
    return len(victims)


@command("CLIENT UNBLOCK", -3)
def unblock(call: Call) -> Reply:
    with_error = False
    if len(call.words) == 4:
        reason = call.words[3].upper()
        if reason not in (b"TIMEOUT", b"ERROR"):
            raise Refused("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
        with_error = reason == b"ERROR"
    sleeper = call.server.connections.get(integer(call.words[2]))
    if sleeper is None or sleeper.blocked is None:
        return 0
    answer = Refused("UNBLOCKED client unblocked via CLIENT UNBLOCK") if with_error else NO_ARRAY
    call.server.unblock(sleeper, answer)
    return 1


@command("CLIENT TRACKING", 3)
def track(call: Call) -> Reply:
    if call.connection.protocol < 3:
        raise Refused("ERR the server in memory tracks for RESP3 only")
    call.connection.tracks = call.words[2].upper() == b"ON"
    return OK


@command("EVAL", -3)
def evaluate(call: Call) -> Reply:
    script = call.server.scripts.get(call.words[1])
    if script is None:
        raise Refused("ERR the server in memory does not know this script")
    keys = 3 + integer(call.words[2])
    return script(call, call.words[3:keys], call.words[keys:])
