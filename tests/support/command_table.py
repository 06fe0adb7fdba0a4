"""
What the command methods send: a call of every method, the words it makes and what may be done with them.

``tests/core`` compares the methods with this table, ``tests/_async`` compares the table with what the servers say of their
commands. Streams have tests of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, NamedTuple

from coredis.tokens import PureToken

MOMENT = datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
LIBRARY = "#!lua_name=l"

#: Nothing is known of it; it may be sent again; it may also be sent to a replica.
ONCE, AGAIN, READ = "once", "again", "read"


class Sample(NamedTuple):
    """
    One call.

    Attributes:
        method: its name
        arguments: its positional arguments
        options: its keyword arguments
        words: what it sends, separated by spaces
        keys: the positions of the keys among the words
        kind: ``ONCE``, ``AGAIN`` or ``READ``
        block: seconds it may block
    """

    method: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    words: str
    keys: tuple[int, ...]
    kind: str
    block: float | None

    def __str__(self) -> str:
        return self.words


def call(method: str, *arguments: object, **options: object) -> _Call:
    """
    Begin a sample.
    """
    return _Call(method, arguments, options)


class _Call(NamedTuple):
    method: str
    arguments: tuple[object, ...]
    options: dict[str, object]

    def sends(self, words: str, *keys: int, kind: str = ONCE, block: float | None = None) -> Sample:
        return Sample(self.method, self.arguments, self.options, words, keys, kind, block)

    def reads(self, words: str, *keys: int) -> Sample:
        return self.sends(words, *keys, kind=READ)

    def repeats(self, words: str, *keys: int, block: float | None = None) -> Sample:
        return self.sends(words, *keys, kind=AGAIN, block=block)


CONNECTION = (
    call("ping").reads("PING"),
    call("ping", "hello").reads("PING hello"),
    call("echo", "hello").reads("ECHO hello"),
    call("client_id").repeats("CLIENT ID"),
    call("client_getname").repeats("CLIENT GETNAME"),
    call("client_setname", "me").repeats("CLIENT SETNAME me"),
    call("client_setinfo", lib_name="lib").repeats("CLIENT SETINFO LIB-NAME lib"),
    call("client_setinfo", lib_ver="1").repeats("CLIENT SETINFO LIB-VER 1"),
    call("client_info").repeats("CLIENT INFO"),
    call("client_list").repeats("CLIENT LIST"),
    call("client_list", "pubsub").repeats("CLIENT LIST TYPE PUBSUB"),
    call("client_list", identifiers=[1, 2]).repeats("CLIENT LIST ID 1 2"),
    call("client_kill", identifier=7).sends("CLIENT KILL ID 7"),
    call("client_kill", addr="a:1", laddr="b:2", type_="NORMAL", user="u", skipme=False, maxage=9).sends(
        "CLIENT KILL ADDR a:1 LADDR b:2 TYPE NORMAL USER u MAXAGE 9 SKIPME NO"
    ),
    call("client_unblock", 7).sends("CLIENT UNBLOCK 7"),
    call("client_unblock", 7, "error").sends("CLIENT UNBLOCK 7 ERROR"),
    call("client_pause", 10).sends("CLIENT PAUSE 10"),
    call("client_pause", 0, b"write").sends("CLIENT PAUSE 0 WRITE"),
    call("client_unpause").repeats("CLIENT UNPAUSE"),
    call("client_no_evict", True).repeats("CLIENT NO-EVICT ON"),
    call("client_no_evict", "off").repeats("CLIENT NO-EVICT OFF"),
)

KEYS = (
    call("delete", ["a", "b"]).repeats("DEL a b", 1, 2),
    call("delete", "abc").repeats("DEL abc", 1),
    call("unlink", iter(["a"])).repeats("UNLINK a", 1),
    call("exists", ["a", "b"]).reads("EXISTS a b", 1, 2),
    call("touch", ["a", "b"]).repeats("TOUCH a b", 1, 2),
    call("expire", "a", 5).sends("EXPIRE a 5", 1),
    call("expire", "a", timedelta(minutes=1), "nx").sends("EXPIRE a 60 NX", 1),
    call("expire", "a", -1).sends("EXPIRE a -1", 1),
    call("pexpire", "a", timedelta(seconds=1), PureToken.XX).sends("PEXPIRE a 1000 XX", 1),
    call("expireat", "a", MOMENT).repeats("EXPIREAT a 1893553445", 1),
    call("expireat", "a", 0, b"GT").sends("EXPIREAT a 0 GT", 1),
    call("pexpireat", "a", MOMENT).repeats("PEXPIREAT a 1893553445678", 1),
    call("pexpireat", "a", 5, "lt").sends("PEXPIREAT a 5 LT", 1),
    call("ttl", "a").reads("TTL a", 1),
    call("pttl", "a").reads("PTTL a", 1),
    call("expiretime", "a").reads("EXPIRETIME a", 1),
    call("pexpiretime", "a").reads("PEXPIRETIME a", 1),
    call("persist", "a").repeats("PERSIST a", 1),
    call("type", "a").reads("TYPE a", 1),
    call("rename", "a", "b").sends("RENAME a b", 1, 2),
    call("renamenx", "a", "b").sends("RENAMENX a b", 1, 2),
    call("copy", "a", "b").sends("COPY a b", 1, 2),
    call("copy", "a", "b", db=0, replace=True).repeats("COPY a b DB 0 REPLACE", 1, 2),
    call("keys").reads("KEYS *"),
    call("keys", "a*").reads("KEYS a*"),
    call("randomkey").reads("RANDOMKEY"),
    call("scan").reads("SCAN 0"),
    call("scan", 7, match="a*", count=5, type_="stream").reads("SCAN 7 MATCH a* COUNT 5 TYPE stream"),
    call("dump", "a").reads("DUMP a", 1),
    call("restore", "a", 0, b"data").sends("RESTORE a 0 data", 1),
    call("restore", "a", 5, b"data", replace=True).sends("RESTORE a 5 data REPLACE", 1),
    call("restore", "a", 0, b"data", True).repeats("RESTORE a 0 data REPLACE", 1),
    call("restore", "a", MOMENT, b"data", True, idletime=3).repeats(
        "RESTORE a 1893553445678 data REPLACE ABSTTL IDLETIME 3", 1
    ),
    call("restore", "a", timedelta(seconds=2), b"data", freq=255).sends("RESTORE a 2000 data FREQ 255", 1),
    call("object_encoding", "a").reads("OBJECT ENCODING a", 2),
    call("object_freq", "a").reads("OBJECT FREQ a", 2),
    call("object_idletime", "a").reads("OBJECT IDLETIME a", 2),
    call("object_refcount", "a").reads("OBJECT REFCOUNT a", 2),
    call("wait", 2, 1500).repeats("WAIT 2 1500", block=1.5),
    call("wait", 0, 0).repeats("WAIT 0 0", block=inf),
    call("waitaof", 1, 2, 0).repeats("WAITAOF 1 2 0", block=inf),
)

STRINGS = (
    call("get", "a").reads("GET a", 1),
    call("set", "a", 1).repeats("SET a 1", 1),
    call("set", "a", "v", condition="NX").sends("SET a v NX", 1),
    call("set", "a", "v", condition=PureToken.XX, keepttl=True).repeats("SET a v XX KEEPTTL", 1),
    call("set", "a", "v", get=True, ex=5).sends("SET a v GET EX 5", 1),
    call("set", "a", "v", px=timedelta(seconds=1)).repeats("SET a v PX 1000", 1),
    call("set", "a", "v", exat=MOMENT).repeats("SET a v EXAT 1893553445", 1),
    call("set", "a", "v", pxat=MOMENT).repeats("SET a v PXAT 1893553445678", 1),
    call("setex", "a", "v", 5).repeats("SETEX a 5 v", 1),
    call("psetex", "a", 5, "v").repeats("PSETEX a 5 v", 1),
    call("setnx", "a", "v").sends("SETNX a v", 1),
    call("getdel", "a").sends("GETDEL a", 1),
    call("getex", "a").repeats("GETEX a", 1),
    call("getex", "a", ex=1).sends("GETEX a EX 1", 1),
    call("getex", "a", px=1).sends("GETEX a PX 1", 1),
    call("getex", "a", exat=1).repeats("GETEX a EXAT 1", 1),
    call("getex", "a", pxat=1).repeats("GETEX a PXAT 1", 1),
    call("getex", "a", persist=True).repeats("GETEX a PERSIST", 1),
    call("mget", ["a", "b"]).reads("MGET a b", 1, 2),
    call("mset", {"a": 1, "b": 2.5}).repeats("MSET a 1 b 2.5", 1, 3),
    call("msetnx", {"a": 1, "b": 2}).sends("MSETNX a 1 b 2", 1, 3),
    call("incr", "a").sends("INCR a", 1),
    call("incrby", "a", 0).sends("INCRBY a 0", 1),
    call("incrbyfloat", "a", 1.5).sends("INCRBYFLOAT a 1.5", 1),
    call("decr", "a").sends("DECR a", 1),
    call("decrby", "a", 2).sends("DECRBY a 2", 1),
    call("append", "a", "v").sends("APPEND a v", 1),
    call("strlen", "a").reads("STRLEN a", 1),
    call("getrange", "a", 0, -1).reads("GETRANGE a 0 -1", 1),
    call("setrange", "a", 0, "v").repeats("SETRANGE a 0 v", 1),
)

HASHES = (
    call("hset", "a", {"f": 1, "g": "v"}).repeats("HSET a f 1 g v", 1),
    call("hsetnx", "a", "f", 1).sends("HSETNX a f 1", 1),
    call("hget", "a", "f").reads("HGET a f", 1),
    call("hmget", "a", ["f", "g"]).reads("HMGET a f g", 1),
    call("hgetall", "a").reads("HGETALL a", 1),
    call("hdel", "a", "fg").repeats("HDEL a fg", 1),
    call("hexists", "a", "f").reads("HEXISTS a f", 1),
    call("hlen", "a").reads("HLEN a", 1),
    call("hkeys", "a").reads("HKEYS a", 1),
    call("hvals", "a").reads("HVALS a", 1),
    call("hincrby", "a", "f", 2).sends("HINCRBY a f 2", 1),
    call("hincrbyfloat", "a", "f", 0.5).sends("HINCRBYFLOAT a f 0.5", 1),
    call("hstrlen", "a", "f").reads("HSTRLEN a f", 1),
    call("hrandfield", "a").reads("HRANDFIELD a", 1),
    call("hrandfield", "a", count=-2, withvalues=True).reads("HRANDFIELD a -2 WITHVALUES", 1),
    call("hscan", "a").reads("HSCAN a 0", 1),
    call("hscan", "a", 5, "f*", 2, True).reads("HSCAN a 5 MATCH f* COUNT 2 NOVALUES", 1),
)

LISTS = (
    call("lpush", "a", [1, 2]).sends("LPUSH a 1 2", 1),
    call("rpush", "a", b"v").sends("RPUSH a v", 1),
    call("lpushx", "a", ["v"]).sends("LPUSHX a v", 1),
    call("rpushx", "a", ["v"]).sends("RPUSHX a v", 1),
    call("lpop", "a").sends("LPOP a", 1),
    call("lpop", "a", 2).sends("LPOP a 2", 1),
    call("rpop", "a", 0).sends("RPOP a 0", 1),
    call("llen", "a").reads("LLEN a", 1),
    call("lrange", "a", 0, -1).reads("LRANGE a 0 -1", 1),
    call("lindex", "a", 0).reads("LINDEX a 0", 1),
    call("lset", "a", 0, "v").repeats("LSET a 0 v", 1),
    call("linsert", "a", "before", "p", "v").sends("LINSERT a BEFORE p v", 1),
    call("lrem", "a", 0, "v").sends("LREM a 0 v", 1),
    call("ltrim", "a", 0, 5).sends("LTRIM a 0 5", 1),
    call("lpos", "a", "v").reads("LPOS a v", 1),
    call("lpos", "a", "v", rank=-1, count=0, maxlen=0).reads("LPOS a v RANK -1 COUNT 0 MAXLEN 0", 1),
    call("lmove", "a", "b", "left", PureToken.RIGHT).sends("LMOVE a b LEFT RIGHT", 1, 2),
    call("blmove", "a", "b", "left", "right", 0).sends("BLMOVE a b LEFT RIGHT 0", 1, 2, block=inf),
    call("blpop", ["a", "b"], 1.5).sends("BLPOP a b 1.5", 1, 2, block=1.5),
    call("brpop", "a", 0).sends("BRPOP a 0", 1, block=inf),
    call("lmpop", ["a", "b"], "left").sends("LMPOP 2 a b LEFT", 2, 3),
    call("lmpop", ["a"], "RIGHT", 3).sends("LMPOP 1 a RIGHT COUNT 3", 2),
    call("blmpop", ["a", "b"], 0.5, "left", 3).sends("BLMPOP 0.5 2 a b LEFT COUNT 3", 3, 4, block=0.5),
)

SETS = (
    call("sadd", "a", ["x", 1]).repeats("SADD a x 1", 1),
    call("srem", "a", ["x"]).repeats("SREM a x", 1),
    call("smembers", "a").reads("SMEMBERS a", 1),
    call("sismember", "a", "x").reads("SISMEMBER a x", 1),
    call("smismember", "a", ["x", "y"]).reads("SMISMEMBER a x y", 1),
    call("scard", "a").reads("SCARD a", 1),
    call("spop", "a").sends("SPOP a", 1),
    call("spop", "a", 2).sends("SPOP a 2", 1),
    call("srandmember", "a").reads("SRANDMEMBER a", 1),
    call("srandmember", "a", -2).reads("SRANDMEMBER a -2", 1),
    call("smove", "a", "b", "x").sends("SMOVE a b x", 1, 2),
    call("sinter", ["a", "b"]).reads("SINTER a b", 1, 2),
    call("sunion", ["a", "b"]).reads("SUNION a b", 1, 2),
    call("sdiff", ["a", "b"]).reads("SDIFF a b", 1, 2),
    call("sinterstore", ["a", "b"], "d").repeats("SINTERSTORE d a b", 1, 2, 3),
    call("sunionstore", ["a", "b"], "d").repeats("SUNIONSTORE d a b", 1, 2, 3),
    call("sdiffstore", ["a", "b"], "d").repeats("SDIFFSTORE d a b", 1, 2, 3),
    call("sdiffstore", ["a", b"d"], "d").sends("SDIFFSTORE d a d", 1, 2, 3),
    call("sintercard", ["a", "b"], limit=0).reads("SINTERCARD 2 a b LIMIT 0", 2, 3),
    call("sscan", "a", 5, "x*", 2).reads("SSCAN a 5 MATCH x* COUNT 2", 1),
)

SORTED_SETS = (
    call("zadd", "a", {"x": 1, "y": 2.5}).repeats("ZADD a 1 x 2.5 y", 1),
    call("zadd", "a", {"x": inf, "y": -inf}, change=True).repeats("ZADD a CH +inf x -inf y", 1),
    call("zadd", "a", {"x": 1}, "nx").sends("ZADD a NX 1 x", 1),
    call("zadd", "a", {"x": 1}, "xx", "gt").repeats("ZADD a XX GT 1 x", 1),
    call("zadd", "a", {"x": 1}, comparison="LT", increment=True).sends("ZADD a LT INCR 1 x", 1),
    call("zrem", "a", ["x", "y"]).repeats("ZREM a x y", 1),
    call("zscore", "a", "x").reads("ZSCORE a x", 1),
    call("zmscore", "a", ["x", "y"]).reads("ZMSCORE a x y", 1),
    call("zcard", "a").reads("ZCARD a", 1),
    call("zcount", "a", "(1", inf).reads("ZCOUNT a (1 +inf", 1),
    call("zlexcount", "a", "-", "[x").reads("ZLEXCOUNT a - [x", 1),
    call("zincrby", "a", "x", 1.5).sends("ZINCRBY a 1.5 x", 1),
    call("zrank", "a", "x").reads("ZRANK a x", 1),
    call("zrank", "a", "x", withscore=True).reads("ZRANK a x WITHSCORE", 1),
    call("zrevrank", "a", "x", True).reads("ZREVRANK a x WITHSCORE", 1),
    call("zrange", "a", 0, -1).reads("ZRANGE a 0 -1", 1),
    call("zrange", "a", inf, 0.5, "byscore", True, 0, 3, True).reads(
        "ZRANGE a +inf 0.5 BYSCORE REV LIMIT 0 3 WITHSCORES", 1
    ),
    call("zrange", "a", "[a", "+", sortby=PureToken.BYLEX).reads("ZRANGE a [a + BYLEX", 1),
    call("zrangestore", "d", "a", 0, 1).repeats("ZRANGESTORE d a 0 1", 1, 2),
    call("zrangestore", "a", "a", 0, 1).sends("ZRANGESTORE a a 0 1", 1, 2),
    call("zremrangebyrank", "a", 0, 1).sends("ZREMRANGEBYRANK a 0 1", 1),
    call("zremrangebyscore", "a", -inf, "(1").repeats("ZREMRANGEBYSCORE a -inf (1", 1),
    call("zremrangebylex", "a", "-", "+").repeats("ZREMRANGEBYLEX a - +", 1),
    call("zpopmin", "a").sends("ZPOPMIN a", 1),
    call("zpopmax", "a", 2).sends("ZPOPMAX a 2", 1),
    call("bzpopmin", ["a", "b"], 0).sends("BZPOPMIN a b 0", 1, 2, block=inf),
    call("bzpopmax", ["a"], 2).sends("BZPOPMAX a 2", 1, block=2.0),
    call("zmpop", ["a", "b"], "min", 2).sends("ZMPOP 2 a b MIN COUNT 2", 2, 3),
    call("bzmpop", ["a", "b"], 0.5, "max").sends("BZMPOP 0.5 2 a b MAX", 3, 4, block=0.5),
    call("zrandmember", "a").reads("ZRANDMEMBER a", 1),
    call("zrandmember", "a", 2, True).reads("ZRANDMEMBER a 2 WITHSCORES", 1),
    call("zunion", ["a", "b"], [1, 2.5], "max", True).reads(
        "ZUNION 2 a b WEIGHTS 1 2.5 AGGREGATE MAX WITHSCORES", 2, 3
    ),
    call("zinter", ["a", "b"]).reads("ZINTER 2 a b", 2, 3),
    call("zdiff", ["a", "b"], True).reads("ZDIFF 2 a b WITHSCORES", 2, 3),
    call("zunionstore", ["a", "b"], "d", [1, 2], "sum").repeats(
        "ZUNIONSTORE d 2 a b WEIGHTS 1 2 AGGREGATE SUM", 1, 3, 4
    ),
    call("zunionstore", ["a", "b"], "b").sends("ZUNIONSTORE b 2 a b", 1, 3, 4),
    call("zinterstore", ["a", "b"], "d", aggregate="MIN").repeats("ZINTERSTORE d 2 a b AGGREGATE MIN", 1, 3, 4),
    call("zdiffstore", ["a", "b"], "d").repeats("ZDIFFSTORE d 2 a b", 1, 3, 4),
    call("zintercard", ["a", "b"], 5).reads("ZINTERCARD 2 a b LIMIT 5", 2, 3),
    call("zscan", "a", 5, "x*", 2).reads("ZSCAN a 5 MATCH x* COUNT 2", 1),
)

SCRIPTING = (
    call("eval", "code").sends("EVAL code 0"),
    call("eval", "code", ["a", "b"], ["x"]).sends("EVAL code 2 a b x", 3, 4),
    call("eval_ro", "code", "a").reads("EVAL_RO code 1 a", 3),
    call("evalsha", "sha", args=[1, 2]).sends("EVALSHA sha 0 1 2"),
    call("evalsha_ro", "sha", ["a"], []).reads("EVALSHA_RO sha 1 a", 3),
    call("script_load", "code").repeats("SCRIPT LOAD code"),
    call("script_exists", ["sha"]).repeats("SCRIPT EXISTS sha"),
    call("script_flush").sends("SCRIPT FLUSH"),
    call("script_flush", "sync").sends("SCRIPT FLUSH SYNC"),
    call("script_kill").sends("SCRIPT KILL"),
    call("fcall", "f", ["a"], [1]).sends("FCALL f 1 a 1", 3),
    call("fcall_ro", "f", ["a"]).reads("FCALL_RO f 1 a", 3),
    call("function_load", LIBRARY).sends(f"FUNCTION LOAD {LIBRARY}"),
    call("function_load", LIBRARY, True).repeats(f"FUNCTION LOAD REPLACE {LIBRARY}"),
    call("function_list").repeats("FUNCTION LIST"),
    call("function_list", "l*", True).repeats("FUNCTION LIST LIBRARYNAME l* WITHCODE"),
    call("function_delete", "l").sends("FUNCTION DELETE l"),
    call("function_flush", "async").sends("FUNCTION FLUSH ASYNC"),
)

SERVER = (
    call("info").repeats("INFO"),
    call("info", "memory", "cpu").repeats("INFO memory cpu"),
    call("config_get", ["maxmemory", "save"]).repeats("CONFIG GET maxmemory save"),
    call("config_set", {"maxmemory": 0, "save": "x"}).repeats("CONFIG SET maxmemory 0 save x"),
    call("config_resetstat").repeats("CONFIG RESETSTAT"),
    call("config_rewrite").repeats("CONFIG REWRITE"),
    call("dbsize").reads("DBSIZE"),
    call("flushdb").sends("FLUSHDB"),
    call("flushall", "async").sends("FLUSHALL ASYNC"),
    call("time").reads("TIME"),
    call("lastsave").repeats("LASTSAVE"),
    call("save").repeats("SAVE"),
    call("bgsave").sends("BGSAVE"),
    call("bgsave", schedule=True).sends("BGSAVE SCHEDULE"),
    call("role").repeats("ROLE"),
    call("replicaof").repeats("REPLICAOF NO ONE"),
    call("replicaof", "host", 6379).repeats("REPLICAOF host 6379"),
    call("command_count").repeats("COMMAND COUNT"),
    call("command_list").repeats("COMMAND LIST"),
    call("command_list", pattern="x*").repeats("COMMAND LIST FILTERBY PATTERN x*"),
    call("command_list", aclcat="read").repeats("COMMAND LIST FILTERBY ACLCAT read"),
    call("command_list", module="m").repeats("COMMAND LIST FILTERBY MODULE m"),
    call("command_info", "get").repeats("COMMAND INFO get"),
    call("command_docs", "get", "set").repeats("COMMAND DOCS get set"),
    call("command_getkeys", "OBJECT FREQ", ["a"]).repeats("COMMAND GETKEYS OBJECT FREQ a"),
    call("memory_usage", "a").reads("MEMORY USAGE a", 2),
    call("memory_usage", "a", samples=0).reads("MEMORY USAGE a SAMPLES 0", 2),
    call("slowlog_get").repeats("SLOWLOG GET"),
    call("slowlog_get", -1).repeats("SLOWLOG GET -1"),
    call("slowlog_len").repeats("SLOWLOG LEN"),
    call("slowlog_reset").repeats("SLOWLOG RESET"),
    call("acl_whoami").repeats("ACL WHOAMI"),
    call("acl_list").repeats("ACL LIST"),
    call("acl_getuser", "u").repeats("ACL GETUSER u"),
    call("acl_setuser", "u", "on", ">p").sends("ACL SETUSER u on >p"),
    call("acl_deluser", ["u", "v"]).repeats("ACL DELUSER u v"),
)

#: Every call.
SAMPLES: tuple[Sample, ...] = (
    *CONNECTION,
    *KEYS,
    *STRINGS,
    *HASHES,
    *LISTS,
    *SETS,
    *SORTED_SETS,
    *SCRIPTING,
    *SERVER,
)
