"""MongoDB: targets for a field of one document, a field of many, a collection, and a number of documents.

The caller makes the client (`pymongo.MongoClient`) and hands it in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from luigi.target import Target


class MongoTarget(Target):
    """What the targets share: a collection of a database."""

    def __init__(self, mongo_client: Any, index: str, collection: str) -> None:
        """
        :param mongo_client: the client.
        :param index: the name of the database.
        :param collection: the name of the collection.
        """
        self._mongo_client = mongo_client
        self._index = index
        self._collection = collection

    def __str__(self) -> str:
        return f"{self._index}/{self._collection}"

    def get_collection(self) -> Any:
        """The collection, as the client has it."""
        return self.get_index()[self._collection]

    def get_index(self) -> Any:
        """The database, as the client has it."""
        return self._mongo_client[self._index]


class MongoCellTarget(MongoTarget):
    """A field of one document, however deep it lies."""

    def __init__(self, mongo_client: Any, index: str, collection: str, document_id: Any, path: str) -> None:
        """
        :param document_id: the document's `_id`.
        :param path: the field, with dots between the levels.
        """
        super().__init__(mongo_client, index, collection)
        self._document_id = document_id
        self._path = path

    def exists(self) -> bool:
        """Whether the document has the field, with a value other than null."""
        return self.read() is not None

    def read(self) -> Any:
        """The field's value; None if document or field is missing."""
        pick = {"$match": {"_id": self._document_id}}
        show = {"$project": {"_value": "$" + self._path, "_id": False}}
        for document in self.get_collection().aggregate([pick, show]):
            return document.get("_value")
        return None

    def write(self, value: Any) -> None:
        """Sets the field, in a new document where it is missing."""
        self.get_collection().update_one({"_id": self._document_id}, {"$set": {self._path: value}}, upsert=True)


class MongoRangeTarget(MongoTarget):
    """A field, of the first level, of many documents."""

    def __init__(
        self, mongo_client: Any, index: str, collection: str, document_ids: Collection[Any], field: str
    ) -> None:
        """
        :param document_ids: the documents' `_id`s.
        :param field: the field's name.
        """
        super().__init__(mongo_client, index, collection)
        self._document_ids = document_ids
        self._field = field

    def exists(self) -> bool:
        """Whether each of the documents has the field."""
        return not self.get_empty_ids()

    def read(self) -> dict[Any, Any]:
        """The values by `_id`, of those documents that have the field."""
        return {document["_id"]: document[self._field] for document in self._having_field({self._field: True})}

    def write(self, values: Mapping[Any, Any]) -> None:
        """Sets the field from a mapping of `_id` to value. Documents that are none of the target's are left out."""
        import pymongo

        updates = [
            pymongo.UpdateOne({"_id": document_id}, {"$set": {self._field: value}}, upsert=True)
            for document_id, value in values.items()
            if document_id in self._document_ids
        ]
        if updates:
            self.get_collection().bulk_write(updates)

    def get_empty_ids(self) -> set[Any]:
        """The `_id`s of documents that lack the field or do not exist."""
        return set(self._document_ids) - {document["_id"] for document in self._having_field({"_id": True})}

    def _having_field(self, shown: dict[str, bool]) -> Any:
        wanted = {"_id": {"$in": list(self._document_ids)}, self._field: {"$exists": True}}
        return self.get_collection().find(wanted, shown)


class MongoCollectionTarget(MongoTarget):
    """A collection, which exists as soon as the database lists it."""

    def exists(self) -> bool:
        """Whether the database has the collection."""
        return self.read()

    def read(self) -> bool:
        """Whether the database has the collection."""
        database = self.get_index()
        # An attribute that pymongo's database lacks reads as a collection of that name, so the class is asked.
        # Before 3.7 only the older name is there.
        listing = "list_collection_names" if hasattr(type(database), "list_collection_names") else "collection_names"
        return self._collection in getattr(database, listing)()


class MongoCountTarget(MongoTarget):
    """A number of documents in a collection."""

    def __init__(self, mongo_client: Any, index: str, collection: str, target_count: int) -> None:
        """:param target_count: the number of documents at which the target exists; no more and no fewer."""
        super().__init__(mongo_client, index, collection)
        self._target_count = target_count

    def exists(self) -> bool:
        """Whether the collection has exactly that many documents."""
        return self.read() == self._target_count

    def read(self) -> int | None:
        """How many documents there are; None for an empty collection.

        They are counted one by one, since the quick count of a sharded cluster can be wrong.
        """
        all_together = {"$group": {"_id": None, "count": {"$sum": 1}}}
        groups = self.get_collection().aggregate([all_together])
        return next(iter(groups), {"count": None})["count"]
