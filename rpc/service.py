"""The methods of the proto, each by the use case that the route of the same meaning has."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from functools import partial

from faces import api_key
from faces.config import Settings
from faces.distances import encoded
from faces.formats.header import check_header
from faces.image_store.pictures import ImageStore
from faces.picture_id import picture_id_of
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.usecases.erase import Erased, RemoveMessages
from faces.usecases.ingest import Accepted, Ingest
from rest.bounds import Bound
from rest.erasing import erase_known
from rest.events.selection import Selection
from rest.events.waiting import Waiting
from rest.fetching.fetcher import Fetcher
from rest.problems import ProblemError
from rest.searching import Searching
from rest.v1.events.events import Followed
from rest.v1.matching.compare import CompareBody, compared
from rest.v1.matching.matches import MatchQuery, matches_of
from rest.v1.matching.search import SearchEncoding, SearchQuery, question_of, searched
from rest.v1.pictures.images import ImageQuery
from rest.v1.pictures.uploads import Spool
from rest.v1.shapes import Image, ImagePath, image_of, record_of
from rpc import facefleet_pb2 as pb
from rpc.call import Call
from rpc.translation import asked, told
from rpc.uploading import Uploads
from rpc.watching import Watching

SCOPES = {
    "ScanImage": api_key.SCAN,
    "ScanUrl": api_key.SCAN,
    "GetImage": api_key.READ,
    "Match": api_key.SEARCH,
    "Search": api_key.SEARCH,
    "Compare": api_key.SEARCH,
    "Erase": api_key.ADMIN,
    "Watch": api_key.READ,
}
"""The scope that each method needs; the proto says the same."""


@dataclass(frozen=True)
class Facefleet:
    """The methods. `facefleet.proto` says what each is for."""

    settings: Settings
    redis: RedisClient
    ingest: Ingest
    fetcher: Fetcher
    audit_log: AuditLog
    image_store: ImageStore | None
    waiting: Waiting
    searching: Searching
    erasures: Bound
    remove_messages: RemoveMessages
    uploads: Uploads
    watching: Watching

    async def ScanImage(self, requests: AsyncIterator[pb.ScanImageRequest], call: Call) -> pb.ScanReply:
        """Take a picture."""
        first, spool = await self.uploads.receive(requests)
        call.told |= {"name": first.name} if first.name else {}
        return _accepted(await call.carry_out(partial(self._accept, spool, first.name or None, call)), call)

    async def ScanUrl(self, request: pb.ScanUrlRequest, call: Call) -> pb.ScanReply:
        """Take the picture at a URL."""
        call.told["name"] = request.url
        fetch = partial(self.fetcher.fetch, within=call.seconds_left)
        accept = partial(self.ingest.accept_url, request.url, fetch, request_id=call.request_id, key=call.key)
        return _accepted(await call.carry_out(accept), call)

    async def GetImage(self, request: pb.GetImageRequest, call: Call) -> pb.Image:
        """Tell what is known of a picture."""
        picture_id = _hash(request.hash, call)
        query = asked(ImageQuery, request, "hash")
        if query.wait:
            await call.ask(partial(self.waiting.wait_for, picture_id, query.wait, call.gone))
        return told(await call.ask(partial(self._image, picture_id)), pb.Image)

    async def Match(self, request: pb.MatchRequest, call: Call) -> pb.MatchReply:
        """List the pictures that match one."""
        picture_id = _hash(request.hash, call)
        query = asked(MatchQuery, request, "hash")
        tolerance, note = self.settings.match_tolerance, call.noting(self.audit_log)
        found = await call.ask(partial(matches_of, self.redis, picture_id, query, tolerance, note))
        call.told["matches"] = found.total
        return told(found, pb.MatchReply)

    async def Search(self, requests: AsyncIterator[pb.SearchRequest], call: Call) -> pb.SearchReply:
        """Find who is in a picture, or whose face an encoding is."""
        first, spool = await self.uploads.receive(requests)
        with spool:
            query = asked(SearchQuery, first, "chunk", "encoding")
            data = _encoding(first) if first.encoding else bytes(spool.whole())
        if not first.encoding:
            await call.ask(partial(self._check, data, call))
        question = question_of(query, data, encoding=bool(first.encoding))
        found = await call.ask(
            partial(searched, self.redis, self.searching, question, call.gone, encodings=query.encodings)
        )
        call.told["faces"] = len(found["faces"])
        return told(found, pb.SearchReply)

    async def Compare(self, request: pb.CompareRequest, call: Call) -> pb.CompareReply:
        """Compare two pictures or faces."""
        body = asked(CompareBody, request)
        note = call.noting(self.audit_log)
        found = await call.ask(partial(compared, self.redis, body, note))
        call.told["distance"] = round(found.distance, 4)
        return told(found, pb.CompareReply)

    async def Erase(self, request: pb.EraseRequest, call: Call) -> pb.EraseReply:
        """Erase a picture."""
        picture_id = _hash(request.hash, call)
        erased = await call.carry_out(partial(self._erase, picture_id, call))
        receipt = erased.receipt
        return pb.EraseReply(
            hash=picture_id,
            state=receipt.state or "",
            names=receipt.names,
            faces=receipt.faces,
            matches=receipt.edges,
            original=erased.original,
            crops=erased.crops,
        )

    def Watch(self, request: pb.WatchRequest, call: Call) -> AsyncGenerator[pb.WatchReply]:
        """Send events as they happen."""
        query = asked(Followed, request)
        call.told["after"] = query.after
        wanted = Selection(frozenset(query.kind), query.hash, query.prefix, query.person)
        return self.watching.replies(query.after, wanted, call)

    def _accept(self, spool: Spool, name: str | None, call: Call) -> Accepted:
        with spool:
            return self.ingest.accept(spool.whole(), name, request_id=call.request_id, key=call.key)

    def _image(self, picture_id: str) -> Image:
        return image_of(self.redis, record_of(self.redis, picture_id))

    def _check(self, data: bytes, call: Call) -> None:
        check_header(data, self.ingest.limits)
        call.noting(self.audit_log)("search", picture_id_of(data))

    def _erase(self, picture_id: str, call: Call) -> Erased:
        with self.erasures.held():
            return erase_known(
                self.redis,
                self.image_store,
                self.audit_log,
                self.remove_messages,
                picture_id,
                actor=call.key,
                request_id=call.request_id,
            )


def _accepted(accepted: Accepted, call: Call) -> pb.ScanReply:
    call.told["hash"] = accepted.picture_id
    return pb.ScanReply(hash=accepted.picture_id, new=accepted.new)


def _hash(picture_id: str, call: Call) -> str:
    """The picture that is asked about.

    Raises:
        ProblemError: `bad_request`: it is no hash.
    """
    found = asked(ImagePath, pb.EraseRequest(hash=picture_id)).hash
    call.told["hash"] = found
    return found


def _encoding(request: pb.SearchRequest) -> bytes:
    try:
        return encoded(SearchEncoding(encoding=list(request.encoding)).encoding)
    except (ValueError, OverflowError, struct.error) as error:
        raise ProblemError("bad_request", "encoding: send 128 numbers, or a picture") from error
