"""
The grammar of stream identifiers, in every place where a command takes one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coredis._core import identifiers as grammar
from coredis.tokens import PureToken
from coredis.types import IdentifierT, StreamEntry

LARGEST = 2**64 - 1
MOMENT = datetime(2024, 5, 6, 7, 8, 9, 123_999, tzinfo=UTC)
MILLISECONDS = b"1714979289123"

Check = Callable[..., bytes]

#: Every check, with the special identifiers that its place accepts.
CHECKS: list[tuple[Check, set[str]]] = [
    (grammar.entry, set()),
    (grammar.threshold, set()),
    (grammar.addition, {"*", "5-*"}),
    (grammar.bound, {"-", "+", "(5-1", "(5"}),
    (grammar.position, {"$", "+"}),
    (grammar.group_position, {">"}),
    (grammar.group_start, {"$"}),
    (grammar.group_move, {"$", "-", "+"}),
]
SPECIAL = {special for _, specials in CHECKS for special in specials}

every_check = pytest.mark.parametrize("check", [check for check, _ in CHECKS], ids=lambda check: check.__name__)


class TestParse:
    @pytest.mark.parametrize(
        ("identifier", "numbers"),
        [
            ("5-1", (5, 1)),
            (b"5-1", (5, 1)),
            ("5", (5, 0)),
            (5, (5, 0)),
            (0, (0, 0)),
            (f"{LARGEST}-{LARGEST}", (LARGEST, LARGEST)),
        ],
    )
    def test_both_numbers(self, identifier: str | bytes | int, numbers: tuple[int, int]) -> None:
        """
        An identifier is two numbers, the second of which may be left out.
        """
        assert numbers == grammar.parse(identifier)

    @given(st.lists(st.tuples(st.integers(0, LARGEST), st.integers(0, LARGEST))))
    def test_order(self, numbers: list[tuple[int, int]]) -> None:
        """
        Identifiers order as pairs of numbers, and survive being written and read.
        """
        ordered = sorted(map(grammar.render, numbers), key=grammar.parse)

        assert sorted(numbers) == list(map(grammar.parse, ordered))

    @pytest.mark.parametrize("identifier", ["abc", "5-", "", "-", "$", "5-1-1", -1, "²-0"])
    def test_no_identifier(self, identifier: str | int) -> None:
        """
        Anything else is refused with what was given.
        """
        with pytest.raises(ValueError, match="identifier: "):
            grammar.parse(identifier)

    def test_before(self) -> None:
        """
        The largest identifier before a millisecond; before the first there is only 0-0.
        """
        assert grammar.before(5) == b"4-18446744073709551615"
        assert grammar.before(0) == b"0-0"


class TestEveryPlace:
    @every_check
    @pytest.mark.parametrize("identifier", ["5-1", b"5-1", "5", f"{LARGEST}-{LARGEST}", "00000000000000000005-1"])
    def test_text_is_sent_as_given(self, check: Check, identifier: str | bytes) -> None:
        """
        A plain identifier is accepted everywhere and not rewritten.
        """
        expected = identifier.encode() if isinstance(identifier, str) else identifier

        assert expected == check("where", identifier)

    @every_check
    @pytest.mark.parametrize("number", [1, 5, LARGEST])
    def test_number(self, check: Check, number: int) -> None:
        """
        A number is an identifier, also one that a signed integer could not hold.
        """
        assert str(number).encode() == check("where", number)

    @every_check
    def test_entry(self, check: Check) -> None:
        """
        An entry stands for its identifier.
        """
        assert check("where", StreamEntry("5-1", {})) == b"5-1"

    @every_check
    @pytest.mark.parametrize(
        "identifier",
        [
            "abc",
            b"abc",
            "5-",
            "-1",
            -1,
            "1-18446744073709551616",
            "18446744073709551616-0",
            LARGEST + 1,
            "5-1-1",
            "5 -1",
            " 5",
            "5\n",
            "+5",
            "5_0",
            "0x5",
            "\u0665-\u0661",
            "\ud800",
            "",
            "(",
            "(-",
            "(+",
            "((5",
            "*-5",
            "**",
            ">>",
            True,
            False,
        ],
    )
    def test_no_identifier(self, check: Check, identifier: object) -> None:
        """
        What is no identifier is refused here, with the parameter named.
        """
        with pytest.raises(ValueError, match="where: "):
            check("where", identifier)

    @every_check
    @pytest.mark.parametrize("identifier", [5.0, object(), ["5-1"], timedelta(1), bytearray(b"5-1")])
    def test_no_text(self, check: Check, identifier: object) -> None:
        """
        Another type is a TypeError that names the parameter.
        """
        with pytest.raises(TypeError, match="where: "):
            check("where", identifier)

    @pytest.mark.parametrize(("check", "accepted"), CHECKS, ids=lambda item: getattr(item, "__name__", ""))
    @pytest.mark.parametrize("special", sorted(SPECIAL))
    @pytest.mark.parametrize("as_type", [str, str.encode], ids=["str", "bytes"])
    def test_special(
        self, check: Check, accepted: set[str], special: str, as_type: Callable[[str], str | bytes]
    ) -> None:
        """
        Each place accepts its own special identifiers and refuses those of the others.
        """
        if special in accepted:
            assert special.encode() == check("where", as_type(special))
        else:
            with pytest.raises(ValueError, match="where: "):
                check("where", as_type(special))


class TestSomePlaces:
    def test_defaults(self) -> None:
        """
        None stands for the usual identifier where there is one; 0 never does.
        """
        assert grammar.addition("where", None) == b"*"
        assert grammar.group_start("where", None) == b"$"
        assert grammar.group_start("where", 0) == b"0"
        assert grammar.group_move("where", 0) == b"0"
        assert grammar.position("where", 0) == b"0"
        assert grammar.group_position("where", 0) == b"0"

    @pytest.mark.parametrize("identifier", [0, "0", "0-0", b"00-0"])
    def test_nothing_is_added_at_zero(self, identifier: str | bytes | int) -> None:
        """
        0-0 cannot be added to a stream.
        """
        with pytest.raises(ValueError, match="greater than 0-0"):
            grammar.addition("identifier", identifier)

    @pytest.mark.parametrize("identifier", ["0-1", "0-*", "10-0", "1", "0-10"])
    def test_added_above_zero(self, identifier: str) -> None:
        """
        Everything above it can.
        """
        assert identifier.encode() == grammar.addition("identifier", identifier)

    def test_tokens(self) -> None:
        """
        The tokens for the special identifiers become plain bytes, which is what is packed fastest.
        """
        added = grammar.addition("where", PureToken.AUTO_ID)
        read = grammar.position("where", PureToken.NEW_ID)

        assert (type(added), added) == (bytes, b"*")
        assert (type(read), read) == (bytes, b"$")

    def test_several(self) -> None:
        """
        One or more identifiers: a single one needs no list, an iterator is read once, an entry is no list.
        """
        entries = [StreamEntry("5-1", {"f": "v"}), StreamEntry("5-2", {"f": "v"})]

        assert grammar.entries("where", "5-1") == (b"5-1",)
        assert grammar.entries("where", b"5-1") == (b"5-1",)
        assert grammar.entries("where", 5) == (b"5",)
        assert grammar.entries("where", entries[0]) == (b"5-1",)
        assert grammar.entries("where", iter(entries)) == (b"5-1", b"5-2")
        assert grammar.entries("where", {"5-1": None, "6": None}.keys()) == (b"5-1", b"6")

    def test_at_least_one(self) -> None:
        """
        None at all is refused.
        """
        with pytest.raises(ValueError, match="where: expected at least one"):
            grammar.entries("where", [])

    @pytest.mark.parametrize(
        "bad", [b"1-1 2-2", b"1-1-1", b"1", b"1-", b"-1", b"", b" ", b"x", b"1-" + b"9" * 20, b"1-1\n"], ids=repr
    )
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_many_are_checked_as_one_is(self, bad: bytes, place: int) -> None:
        """
        That many are looked at together changes nothing.
        """
        given = [b"1-1", b"2-2"]
        given.insert(place, bad)

        def outcome(check: Callable[[], bytes]) -> object:
            try:
                return check()
            except ValueError as error:
                return str(error)

        alone = outcome(lambda: grammar.entry("where", bad))

        assert alone == outcome(lambda: grammar.entries("where", given)[place])

    def test_those_that_are_alike_are_checked_as_others_are(self) -> None:
        """
        Whatever is between them.
        """
        chance = random.Random(3)
        alike = {False: 0, True: 0}
        for _ in range(20_000):
            first, second = chance.randrange(4), chance.randrange(4)
            count = chance.randrange(1, 5)
            given = [[*chance.choices("0179", k=first), "-", *chance.choices("0179", k=second)] for _ in range(count)]
            for _ in range(chance.randrange(3)):  # some characters are moved, doubled or replaced
                one, other = chance.choice(given), chance.choice(given)
                moved = one.pop(chance.randrange(len(one))) if one and chance.random() < 0.7 else chance.choice("0- ")
                other.insert(chance.randrange(len(other) + 1), moved)
            identifiers = ["".join(characters).encode() for characters in given]
            for strictly, pattern in ((False, rb"\d{1,19}-\d{1,19}"), (True, rb"(0|[1-9]\d{0,18})-(0|[1-9]\d{0,18})")):
                if grammar._alike(identifiers, strictly):
                    alike[strictly] += 1
                    assert all(re.fullmatch(pattern, one) for one in identifiers), identifiers
        assert alike[False] > alike[True] > 300
        assert grammar._alike([b"%d-0" % number for number in range(10_000, 10_100)], True)
        assert not grammar._alike([b"10-1", b"10-11", b"9-1"], False)
        assert not grammar._alike([b"1" * 20 + b"-1"] * 2, False)
        assert not grammar._alike([b"1-" + b"1" * 20] * 2, False)

    @pytest.mark.parametrize(
        "written",
        [
            b"1-1",
            "1-1",
            b"01-1",
            "1-01",
            b"1-0",
            1,
            b"1",
            "1",
            b"0-1",
            b"00-0",
            b"%d-%d" % (grammar.LARGEST, grammar.LARGEST),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("others", [(), (b"2-2", b"3-0"), ("2-2", StreamEntry("3-0", {}))], ids=str)
    def test_as_servers_write_them(self, written: IdentifierT, others: tuple[IdentifierT, ...]) -> None:
        """
        However an identifier is written, alone or with others, it becomes what a server writes: two numbers.
        """
        found = grammar.canonical("where", (written, *others))

        assert b"%d-%d" % grammar.parse(written) == found[0]  # type: ignore[arg-type]
        if isinstance(written, bytes):
            assert found == grammar.canonical("where", (StreamEntry(written, {}), *others))
        assert (b"2-2", b"3-0")[: len(others)] == found[1:]

    @pytest.mark.parametrize("bad", [b"1-1 2-2", b"1-", b"", b"x", b"1-1\n", True], ids=repr)
    def test_what_no_server_writes(self, bad: IdentifierT) -> None:
        """
        It is refused, and named.
        """
        for identifiers in ((bad,), (b"1-1", bad)):
            with pytest.raises(ValueError, match="where: "):
                grammar.canonical("where", identifiers)

    def test_hint_for_new_entries(self) -> None:
        """
        The identifiers for new entries of XREAD and XREADGROUP are easily confused, so the message says which is right.
        """
        with pytest.raises(ValueError, match=r"say '\$'"):
            grammar.position("where", ">")
        with pytest.raises(ValueError, match="say '>'"):
            grammar.group_position("where", "$")


class TestTimes:
    def test_ends_of_a_range(self) -> None:
        """
        As a bound a time is its millisecond, whose first and last entries the server finds by itself.
        """
        assert MILLISECONDS == grammar.bound("start", MOMENT)
        assert MILLISECONDS == grammar.threshold("threshold", MOMENT)

    @pytest.mark.parametrize(
        "check", [grammar.position, grammar.group_position, grammar.group_start, grammar.group_move]
    )
    def test_reading_from_then_on(self, check: Check) -> None:
        """
        Reading goes on after an identifier, so a time becomes the last one before it, or its first entry would be missed.
        """
        assert check("where", MOMENT) == b"1714979289122-18446744073709551615"

    def test_adding_at_a_time(self) -> None:
        """
        Adding at a time leaves the sequence number to the server.
        """
        assert MILLISECONDS + b"-*" == grammar.addition("identifier", MOMENT)

    def test_zones(self) -> None:
        """
        The same moment in another zone is the same; without a zone it is local time.
        """
        elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45)))
        local = MOMENT.astimezone().replace(tzinfo=None)

        assert MILLISECONDS == grammar.bound("start", elsewhere) == grammar.bound("start", local)

    def test_before_the_epoch(self) -> None:
        """
        There are no identifiers before 1970.
        """
        with pytest.raises(ValueError, match="start: "):
            grammar.bound("start", datetime(1969, 12, 31, tzinfo=UTC))
