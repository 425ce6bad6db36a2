"""Everything that talks to a model: `Client`, its four engines, and the durable response cache."""

from funreason.llm.cache import Cache, cache_folder
from funreason.llm.client import Client
from funreason.llm.refs import ModelRef, folder_identity, load_ref, load_refs
from funreason.llm.refusals import refusal_reason
from funreason.llm.request import UNANSWERED, Request, Response
from funreason.llm.usage import counting

__all__ = [
    "UNANSWERED",
    "Cache",
    "Client",
    "ModelRef",
    "Request",
    "Response",
    "cache_folder",
    "counting",
    "folder_identity",
    "load_ref",
    "load_refs",
    "refusal_reason",
]
