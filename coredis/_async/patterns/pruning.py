"""
Delete members of a group that are gone for long.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, AnyStr, Final

from coredis._core.command import Command
from coredis._core.commands.checks import whole_number
from coredis._core.consumer.reads import Membership

if TYPE_CHECKING:
    from coredis._async.patterns.host import ConsumerHost

#: A member that waits looks idle until its wait ends, and nobody waits for longer than that at a time (milliseconds).
SHORTEST_IDLE: Final = 60_000
#: Lua counts exactly so far.
LONGEST_IDLE: Final = 2**53

# Checked and deleted in one step: between two commands an entry could be delivered to the member, and would be lost with it.
# XINFO answers with flat lists of names and values here, whatever the protocol.
_SCRIPT: Final = b"""
local deleted = {}
local members = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if members.err then
  if string.find(members.err, 'no such key') or string.find(members.err, 'NOGROUP') then return deleted end
  return members
end
for _, member in ipairs(members) do
  local about = {}
  for i = 1, #member, 2 do about[member[i]] = member[i + 1] end
  if about.name ~= ARGV[2] and about.pending == 0 and about.idle >= tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    deleted[#deleted + 1] = about.name
  end
end
return deleted
"""


async def prune(
    client: ConsumerHost[AnyStr], names: Iterable[bytes], membership: Membership, idle: int
) -> list[AnyStr]:
    """
    Delete idle members without pending entries, in each stream; one that is missing, or has no such group, has none.

    Args:
        client: whose server has the streams
        names: of the streams
        membership: names the group, and the member that is never deleted
        idle: milliseconds

    Returns:
        the names of those that were deleted

    Raises:
        ValueError: ``idle`` is less than a minute
    """
    whole_number("idle", idle, SHORTEST_IDLE, LONGEST_IDLE)
    deleted: dict[AnyStr, None] = {}
    for name in list(names):
        words = ("EVAL", _SCRIPT, 1, name, membership.group, membership.consumer, idle)
        deleted |= dict.fromkeys(await client.issue(Command(words, client.replies.texts, keys=(3,))))
    return list(deleted)
