"""Announcements: the type, how announcements are listed, and the mutations."""

from datetime import datetime
from enum import Enum

import strawberry

from auth.capabilities import Capability
from db.sql_catalog import queries
from resolvers import announcements, classes, users
from schema.connections import Listing, id_filter, order_input, root_connection
from schema.connections import optional as optional_filter
from schema.inputs import IdempotentInput, MutationInput, UpdateInput, node_id, optional, required
from schema.mutations import mutation, payload_node, payload_value
from schema.nodes import Node, node, root_node
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import mutation_fields, query_fields

__all__ = ["Announcement", "AnnouncementMutations", "AnnouncementQueries"]


@node(announcements.Announcement, announcements.announcement_by_id)
@strawberry.type(description="An announcement to a class, or to the whole school.")
class Announcement(Node):
    title: str = strawberry.field(description="The title, one line of plain text.")
    body: str = strawberry.field(description="The text, plain text with line breaks.")
    published_at: datetime = strawberry.field(
        description="When it is published. Before, only its author and administrators see the announcement."
    )
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class; null for an announcement to the whole school.")
    author = to_one(users.user_by_id, "author_id", description="The user who wrote it; null if you may not see that user.")


@strawberry.enum(description="What announcements can be sorted by.")
class AnnouncementOrderField(Enum):
    PUBLISHED_AT = strawberry.enum_value("published_at", description="The moment at which it is published.")


@strawberry.input(description="Which announcements to list.")
class AnnouncementFilter:
    class_ids: list[strawberry.ID] | None = id_filter(classes.Class, "Class", description="To one of these classes.")
    is_school_wide: bool | None = optional_filter("To the whole school (true), or to a class (false).")
    is_published: bool | None = optional_filter("Published by now (true), or to be published later (false).")


ANNOUNCEMENTS = Listing(
    queries.announcements,
    announcements.Announcement,
    order_input("Announcement", AnnouncementOrderField),
    AnnouncementOrderField.PUBLISHED_AT,
    AnnouncementFilter,
    descending=True,
)

_PUBLISHED_AT = "When to publish it, with its offset from UTC. Readers do not see the announcement before."


@strawberry.input(description="An announcement to create.")
class CreateAnnouncementInput(IdempotentInput):
    class_id: strawberry.ID | None = node_id(
        classes.Class, "The class. Leave it out to announce to the whole school, which only administrators may.", optional=True
    )
    title: str = required("The title, 1 to 200 characters.")
    body: str = required("The text, 1 to 5,000 characters.", multiline=True)
    published_at: datetime | None = optional(f"{_PUBLISHED_AT} It is published at once if you leave this out.")


@strawberry.input(description="The changes to an announcement. Its class cannot be changed.")
class UpdateAnnouncementInput(UpdateInput):
    id: strawberry.ID = node_id(announcements.Announcement, "The announcement.")
    title: str | None = optional("The title, 1 to 200 characters.")
    body: str | None = optional("The text, 1 to 5,000 characters.", multiline=True)
    published_at: datetime | None = optional(_PUBLISHED_AT)


@strawberry.input(description="The announcement to delete.")
class DeleteAnnouncementInput(MutationInput):
    id: strawberry.ID = node_id(announcements.Announcement, "The announcement.")


_ANNOUNCEMENT = payload_node(announcements.announcement_by_id, "The announcement as it is now.")


@query_fields
class AnnouncementQueries:
    announcement = root_node(Announcement, description="The announcement with this id.")
    announcements = root_connection(ANNOUNCEMENTS, Capability.SIGNED_IN, description="The announcements that you may see, latest first.")


@mutation_fields
class AnnouncementMutations:
    create_announcement = mutation(
        Capability.TEACH,
        CreateAnnouncementInput,
        announcements.create_announcement,
        scope="createAnnouncement",
        description="Creates an announcement. Administrators announce to anyone, the teachers of a class to their class.",
        announcement=_ANNOUNCEMENT,
    )
    update_announcement = mutation(
        Capability.TEACH,
        UpdateAnnouncementInput,
        announcements.update_announcement,
        description="Changes an announcement.",
        announcement=_ANNOUNCEMENT,
    )
    delete_announcement = mutation(
        Capability.TEACH,
        DeleteAnnouncementInput,
        announcements.delete_announcement,
        description="Deletes an announcement.",
        deleted_id=payload_value(strawberry.ID | None, "The id of the deleted announcement."),
    )
