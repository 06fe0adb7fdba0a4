"""
What both kinds of clients, of one server and of a cluster, have for consumers: how they are made, and what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, AnyStr, Literal, overload

from coredis._async.client import Client
from coredis._async.commands import CommandFamilies
from coredis._core.consumer.limits import BUFFERED_BYTES, MAX_UNACKED, REPLY_BYTES
from coredis.exceptions import CommandSyntaxError
from coredis.types import DeadLetter, PositionT
from coredis.typing import KeyT, Parameters, StringT

if TYPE_CHECKING:
    from coredis._async.patterns.consumer import Consumer
    from coredis._async.patterns.group_consumer import GroupConsumer
    from coredis._async.pipeline import BasePipeline
    from coredis._core.consumer.parameters import StreamParameters


class ConsumerHost(CommandFamilies[AnyStr], Client[AnyStr]):
    """
    A client that consumers read with.
    """

    def pipeline(self, transaction: bool = ..., *, raise_on_error: bool = True) -> BasePipeline[AnyStr]:
        """
        Make a pipeline.
        """
        raise NotImplementedError

    @overload
    def xconsumer(
        self,
        streams: Parameters[KeyT],
        *,
        buffer_size: int = ...,
        timeout: int | None = ...,
        group: None = ...,
        consumer: None = ...,
        auto_create: bool = ...,
        auto_acknowledge: bool = ...,
        start_from_backlog: bool = ...,
        group_start: PositionT = ...,
        recover_group: Literal["recreate", "raise"] = ...,
        ack: Literal["acknowledge", "delete"] = ...,
        ack_buffer: int = ...,
        ack_interval: int = ...,
        claim_idle: int | None = ...,
        heartbeat: bool = ...,
        max_deliveries: int | None = ...,
        dead_letter: KeyT | Callable[[DeadLetter[AnyStr]], object] | None = ...,
        on_deleted: Callable[[AnyStr, AnyStr], object] | None = ...,
        max_unacked: int | None = ...,
        parameters: Mapping[KeyT, StreamParameters] | None = ...,
        block_slice: int = ...,
        prefetch: bool = ...,
        max_buffered_bytes: int = ...,
        max_reply_bytes: int = ...,
        **stream_parameters: StreamParameters,
    ) -> Consumer[AnyStr]: ...

    @overload
    def xconsumer(
        self,
        streams: Parameters[KeyT],
        *,
        buffer_size: int = ...,
        timeout: int | None = ...,
        group: StringT,
        consumer: StringT,
        auto_create: bool = ...,
        auto_acknowledge: bool = ...,
        start_from_backlog: bool = ...,
        group_start: PositionT = ...,
        recover_group: Literal["recreate", "raise"] = ...,
        ack: Literal["acknowledge", "delete"] = ...,
        ack_buffer: int = ...,
        ack_interval: int = ...,
        claim_idle: int | None = ...,
        heartbeat: bool = ...,
        max_deliveries: int | None = ...,
        dead_letter: KeyT | Callable[[DeadLetter[AnyStr]], object] | None = ...,
        on_deleted: Callable[[AnyStr, AnyStr], object] | None = ...,
        max_unacked: int | None = ...,
        parameters: Mapping[KeyT, StreamParameters] | None = ...,
        block_slice: int = ...,
        prefetch: bool = ...,
        max_buffered_bytes: int = ...,
        max_reply_bytes: int = ...,
        **stream_parameters: StreamParameters,
    ) -> GroupConsumer[AnyStr]: ...

    def xconsumer(
        self,
        streams: Parameters[KeyT],
        *,
        buffer_size: int = 0,
        timeout: int | None = None,
        group: StringT | None = None,
        consumer: StringT | None = None,
        auto_create: bool = True,
        auto_acknowledge: bool = False,
        start_from_backlog: bool = False,
        group_start: PositionT = "0",
        recover_group: Literal["recreate", "raise"] = "recreate",
        ack: Literal["acknowledge", "delete"] = "acknowledge",
        ack_buffer: int = 0,
        ack_interval: int = 1000,
        claim_idle: int | None = None,
        heartbeat: bool = False,
        max_deliveries: int | None = None,
        dead_letter: KeyT | Callable[[DeadLetter[AnyStr]], object] | None = None,
        on_deleted: Callable[[AnyStr, AnyStr], object] | None = None,
        max_unacked: int | None = MAX_UNACKED,
        parameters: Mapping[KeyT, StreamParameters] | None = None,
        block_slice: int = 5000,
        prefetch: bool = False,
        max_buffered_bytes: int = BUFFERED_BYTES,
        max_reply_bytes: int = REPLY_BYTES,
        **stream_parameters: StreamParameters,
    ) -> Consumer[AnyStr] | GroupConsumer[AnyStr]:
        """
        Make a consumer of streams: a ``GroupConsumer`` when ``group`` and ``consumer`` are given, else a ``Consumer``.

        The arguments are those of the two classes, which say more about each.

        Args:
            streams: their keys
            buffer_size: how many entries of each stream to fetch beyond the next one
            timeout: milliseconds to wait for an entry when there is none; None, 0 or less: do not wait
            group: the name of the consumer group; all that follows up to ``max_unacked`` is for a member of one
            consumer: the name of this member, not used by another one at the same time
            auto_create: make the group, and the stream, where they do not exist
            auto_acknowledge: entries count as processed once they are delivered (NOACK)
            start_from_backlog: first what is pending for this member, then new entries
            group_start: where a group begins that is made here: ``"0"`` for all entries, ``"$"`` for those to come
            recover_group: what to do when the group is gone while reading: make it again, or raise
            ack: what ``ack`` does: acknowledge, or delete the entry, too
            ack_buffer: how many acknowledgements to collect before they are sent together; 0: each at once
            ack_interval: milliseconds after which they are sent, however few
            claim_idle: take over what anybody has not acknowledged for so many milliseconds
            heartbeat: renew the leases of what is held in the background, for processing that takes longer than that
            max_deliveries: give up an entry that has been delivered so often
            dead_letter: where it goes then: a stream, or a function
            on_deleted: called with stream and identifier of each pending entry that was deleted from its stream
            max_unacked: fetch no more while so many entries are not acknowledged; None: however many
            parameters: where single streams begin, by name: ``{"orders:eu": {"identifier": "0-0"}}``
            block_slice: the longest wait that is asked of the server at a time, in milliseconds
            prefetch: send the next read before the entries of the last one are served
            max_buffered_bytes: how many bytes to fetch at a time, as far as can be foreseen
            max_reply_bytes: how many bytes a reply may have; a larger one is cut, and read again in smaller pieces
            stream_parameters: as ``parameters``, for streams whose names are Python names: ``orders={"identifier": "0-0"}``

        Raises:
            TypeError, ValueError: no stream, or a bad argument
            CommandSyntaxError: one of ``group`` and ``consumer`` without the other, or an option of a ``GroupConsumer`` without
                them
        """
        if group is None and consumer is None:
            from coredis._async.patterns.consumer import Consumer  # who uses none does not wait for it
            from coredis._core.consumer.parameters import check_no_group_options

            check_no_group_options(
                {
                    "auto_create": auto_create,
                    "auto_acknowledge": auto_acknowledge,
                    "start_from_backlog": start_from_backlog,
                    "group_start": group_start,
                    "recover_group": recover_group,
                    "ack": ack,
                    "ack_buffer": ack_buffer,
                    "ack_interval": ack_interval,
                    "claim_idle": claim_idle,
                    "heartbeat": heartbeat,
                    "max_deliveries": max_deliveries,
                    "dead_letter": dead_letter,
                    "on_deleted": on_deleted,
                    "max_unacked": max_unacked,
                }
            )

            return Consumer(
                self,
                streams,
                buffer_size=buffer_size,
                timeout=timeout,
                parameters=parameters,
                block_slice=block_slice,
                prefetch=prefetch,
                max_buffered_bytes=max_buffered_bytes,
                max_reply_bytes=max_reply_bytes,
                **stream_parameters,
            )
        if group is None or consumer is None:
            raise CommandSyntaxError({"group", "consumer"}, "one needs the other")
        from coredis._async.patterns.group_consumer import GroupConsumer

        return GroupConsumer(
            self,
            streams,
            group,
            consumer,
            buffer_size=buffer_size,
            auto_create=auto_create,
            auto_acknowledge=auto_acknowledge,
            start_from_backlog=start_from_backlog,
            timeout=timeout,
            group_start=group_start,
            recover_group=recover_group,
            ack=ack,
            ack_buffer=ack_buffer,
            ack_interval=ack_interval,
            claim_idle=claim_idle,
            heartbeat=heartbeat,
            max_deliveries=max_deliveries,
            dead_letter=dead_letter,
            on_deleted=on_deleted,
            max_unacked=max_unacked,
            parameters=parameters,
            block_slice=block_slice,
            prefetch=prefetch,
            max_buffered_bytes=max_buffered_bytes,
            max_reply_bytes=max_reply_bytes,
            **stream_parameters,
        )
