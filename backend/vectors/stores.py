"""Which store the vectors are in: the setting's word, and the store itself."""

from backend.settings import Settings
from backend.vectors.pgvector_store import PgvectorStore
from backend.vectors.store import VectorStore


def store_of(settings: Settings) -> VectorStore:
    """ChromaDB is an extra: only who chooses it needs it installed."""
    if settings.vector_store == "chroma":
        from backend.vectors.chroma_store import ChromaStore

        return ChromaStore(settings.chroma_url, settings.chroma_path)
    return PgvectorStore()
