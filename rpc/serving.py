"""Every call passes here: its API key, its errors, its line in the log.

A call's key is checked before any message of it is read: every method is served as one to which a stream is sent.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from faces.messaging.event_log import EventLog
from rest.auth.authenticator import Authenticator
from rest.metrics.server import Metrics
from rest.problems import Refusal, refusal
from rpc.call import Call
from rpc.uploading import only

Method = Callable[[Any, Call], Any]
"""Takes a message, or the messages, of a call; gives the reply, or the replies."""

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    502: grpc.StatusCode.FAILED_PRECONDITION,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""HTTP's statuses as gRPC has them: docs/rpc.md has the same table. Clients may repeat UNAVAILABLE."""


@dataclass(frozen=True)
class Serving:
    """How calls are served. `authenticator`: None where no key is needed."""

    authenticator: Authenticator | None
    event_log: EventLog
    metrics: Metrics
    pool: Executor

    def handlers(
        self, service: ServiceDescriptor, methods: object, scopes: Mapping[str, str]
    ) -> grpc.GenericRpcHandler:
        """Serve each method of a service by that of an object which has its name, and the scope that it needs."""
        served = {
            method.name: self._handler(method, getattr(methods, method.name), scopes[method.name])
            for method in service.methods
        }
        return grpc.method_handlers_generic_handler(service.full_name, served)

    def _handler(self, method: MethodDescriptor, work: Method, scope: str) -> grpc.RpcMethodHandler:
        kind = grpc.stream_unary_rpc_method_handler
        serve: Callable[..., Awaitable[Any]] = partial(self._reply, method, work, scope)
        if method.server_streaming:
            kind, serve = grpc.stream_stream_rpc_method_handler, partial(self._replies, method, work, scope)
        return kind(
            serve,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )

    async def _reply(
        self, method: MethodDescriptor, work: Method, scope: str, requests: AsyncIterator[Any], context: Any
    ) -> Message:
        async with self._under_way(method, scope, context) as call:
            reply: Message = await work(requests if method.client_streaming else await only(requests), call)
            return reply

    async def _replies(
        self, method: MethodDescriptor, work: Method, scope: str, requests: AsyncIterator[Any], context: Any
    ) -> None:
        async with (
            self._under_way(method, scope, context) as call,
            aclosing(work(await only(requests), call)) as replies,
        ):
            async for reply in replies:
                await context.write(reply)  # waits while the caller does not read

    @asynccontextmanager
    async def _under_way(self, method: MethodDescriptor, scope: str, context: Any) -> AsyncIterator[Call]:
        call, begun, code = Call(context, self.pool), time.monotonic(), "CANCELLED"
        try:
            if self.authenticator is not None:
                await call.ask(partial(self._admit, self.authenticator, scope, call))
            yield call
            code = "OK"
        except Exception as error:  # noqa: BLE001 -- whatever it is, the caller gets a code
            refused = refusal(error, call.request_id)
            status = CODES.get(refused.status, grpc.StatusCode.INTERNAL)
            code = status.name
            call.told |= {"code": refused.code, "reason": refused.detail}
            await context.abort(status, refused.detail, _trailing(refused, call))
        finally:
            call.gone.set()
            self._tell(method, call, code, time.monotonic() - begun)

    @staticmethod
    def _admit(authenticator: Authenticator, scope: str, call: Call) -> None:
        authenticator.admit(call.token, scope, call.address, partial(setattr, call, "key"))

    def _tell(self, method: MethodDescriptor, call: Call, code: str, seconds: float) -> None:
        self.metrics.request(f"/{method.containing_service.full_name}/{method.name}", "RPC", code, seconds)
        self.event_log.info(
            method.name,
            status=code,
            ms=round(seconds * 1000, 1),
            request_id=call.request_id,
            **({"key": call.key} if call.key else {}),
            **call.told,
        )


def _trailing(refused: Refusal, call: Call) -> tuple[tuple[str, str], ...]:
    again = () if refused.retry_after is None else (("retry-after", str(refused.retry_after)),)
    return (("code", refused.code), ("request-id", call.request_id), *again)
