"""Changes written to the directory's tables, set by set.

Rows go over as one JSON parameter a table, so that a thousand changes cost a handful of statements.
"""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, TextClause, text

from access.records import DEFAULT_ZONE, Binding, Changes, Node, Person, Role, ServiceAccount, SessionEnded

_NODE: Final = text("""
    INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)
    SELECT :id, :parent_id, :kind, :name, :zone,
           coalesce(nullif(:zone, ''), parent.effective_zone, :default_zone),
           coalesce(parent.ancestors, '{}') || ARRAY[:id], :position
      FROM (SELECT 1) AS nothing LEFT JOIN directory_node AS parent ON parent.id = :parent_id
    ON CONFLICT (id) DO UPDATE
       SET parent_id = excluded.parent_id, kind = excluded.kind, name = excluded.name, zone = excluded.zone,
           position = excluded.position
     WHERE excluded.position >= directory_node.position
""")

# What a node inherits changes with it for everything below, in the same statement.
_INHERIT: Final = text("""
    WITH RECURSIVE below AS (
        SELECT node.id,
               coalesce(parent.ancestors, '{}') || ARRAY[node.id] AS ancestors,
               coalesce(nullif(node.zone, ''), parent.effective_zone, :default_zone) AS effective_zone
          FROM directory_node AS node LEFT JOIN directory_node AS parent ON parent.id = node.parent_id
         WHERE node.id = :id
        UNION ALL
        SELECT child.id, below.ancestors || ARRAY[child.id],
               coalesce(nullif(child.zone, ''), below.effective_zone)
          FROM below JOIN directory_node AS child ON child.parent_id = below.id
         WHERE child.id <> ALL (below.ancestors)
    )
    UPDATE directory_node AS node
       SET ancestors = below.ancestors, effective_zone = below.effective_zone
      FROM below
     WHERE node.id = below.id
       AND (node.ancestors, node.effective_zone) IS DISTINCT FROM (below.ancestors, below.effective_zone)
""")

_LEAVES: Final = text("""
    INSERT INTO directory_node (id, parent_id, kind, name, zone, effective_zone, ancestors, position)
    SELECT leaf.id, leaf.parent_id, 4, leaf.name, '', coalesce(parent.effective_zone, :default_zone),
           coalesce(parent.ancestors, '{}') || ARRAY[leaf.id], :position
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS leaf (id text, parent_id text, name text)
      LEFT JOIN directory_node AS parent ON parent.id = leaf.parent_id
    ON CONFLICT (id) DO UPDATE
       SET parent_id = excluded.parent_id, name = excluded.name, effective_zone = excluded.effective_zone,
           ancestors = excluded.ancestors, position = excluded.position
     WHERE excluded.position >= directory_node.position
""")

_PEOPLE: Final = text("""
    INSERT INTO directory_person
           (id, parent_id, name, employee_number, job_role, hire_date, probation_start, probation_end,
            mentor_id, manager_id, status, language, dismissed_at, position)
    SELECT id, parent_id, name, employee_number, job_role, hire_date, probation_start, probation_end,
           mentor_id, manager_id, status, language, dismissed_at, :position
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS entry
           (id text, parent_id text, name text, employee_number text, job_role text, hire_date date,
            probation_start date, probation_end date, mentor_id text, manager_id text, status smallint,
            language text, dismissed_at timestamptz)
    ON CONFLICT (id) DO UPDATE
       SET parent_id = excluded.parent_id, name = excluded.name, employee_number = excluded.employee_number,
           job_role = excluded.job_role, hire_date = excluded.hire_date,
           probation_start = excluded.probation_start, probation_end = excluded.probation_end,
           mentor_id = excluded.mentor_id, manager_id = excluded.manager_id, status = excluded.status,
           language = excluded.language, dismissed_at = excluded.dismissed_at, position = excluded.position
     WHERE excluded.position >= directory_person.position
""")

_ROLES: Final = text("""
    INSERT INTO directory_role (id, name, permissions, built_in, position)
    SELECT id, name, ARRAY(SELECT jsonb_array_elements_text(permissions)), built_in, :position
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS entry
           (id text, name text, permissions jsonb, built_in boolean)
    ON CONFLICT (id) DO UPDATE
       SET name = excluded.name, permissions = excluded.permissions, built_in = excluded.built_in,
           position = excluded.position
     WHERE excluded.position >= directory_role.position
""")

_BINDINGS: Final = text("""
    INSERT INTO directory_binding
           (id, role_id, subject_id, node_id, granted_by, created_at, removed, position)
    SELECT id, role_id, subject_id, node_id, granted_by, created_at, false, :position
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS entry
           (id text, role_id text, subject_id text, node_id text, granted_by text, created_at timestamptz)
    ON CONFLICT (id) DO NOTHING
""")

_REMOVALS: Final = text("""
    UPDATE directory_binding SET removed = true, position = :position
     WHERE id = ANY (:ids) AND NOT removed
""")

_ENDED: Final = text("""
    INSERT INTO directory_session_ended (session_id, person_id, expires_at, position)
    SELECT session_id, person_id, expires_at, :position
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS entry
           (session_id text, person_id text, expires_at timestamptz)
    ON CONFLICT (session_id) DO NOTHING
""")

# A day longer than their tokens could work: clocks differ.
_FORGET_ENDED: Final = text("DELETE FROM directory_session_ended WHERE expires_at < now() - interval '1 day'")

_ACCOUNTS: Final = text("""
    INSERT INTO directory_service_account (id, name, disabled, created_at, position)
    SELECT id, name, disabled, created_at, :position
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS entry
           (id text, name text, disabled boolean, created_at timestamptz)
    ON CONFLICT (id) DO UPDATE
       SET name = excluded.name, disabled = excluded.disabled, position = excluded.position
     WHERE excluded.position >= directory_service_account.position
""")

_MOVE_ON: Final = text("UPDATE directory_position SET position = greatest(position, :position)")


def write(connection: Connection, changes: Changes) -> None:
    """Write the changes at their position. Writing them again changes nothing.

    Nodes may come in any order; what is inherited (ancestors, zone) is set right for everything below them.
    """
    position = changes.position
    _write_nodes(connection, changes.nodes, position)
    people = [_person_row(person) for person in changes.people]
    _write_rows(connection, people, position, _LEAVES, default_zone=DEFAULT_ZONE)
    _write_rows(connection, people, position, _PEOPLE)
    _write_rows(connection, [_role_row(role) for role in changes.roles], position, _ROLES)
    _write_rows(connection, [_binding_row(each) for each in changes.bindings], position, _BINDINGS)
    if changes.bindings_removed:
        connection.execute(_REMOVALS, {"ids": list(changes.bindings_removed), "position": position})
    if changes.sessions_ended:
        _write_rows(connection, [_ended_row(each) for each in changes.sessions_ended], position, _ENDED)
        connection.execute(_FORGET_ENDED)
    _write_rows(connection, [_account_row(each) for each in changes.service_accounts], position, _ACCOUNTS)
    connection.execute(_MOVE_ON, {"position": position})


def _write_nodes(connection: Connection, nodes: Sequence[Node], position: int) -> None:
    for node in nodes:
        values = {"id": node.id, "parent_id": node.parent_id, "kind": int(node.kind), "name": node.name}
        connection.execute(
            _NODE, {**values, "zone": node.zone, "position": position, "default_zone": DEFAULT_ZONE}
        )
    for node in nodes:
        connection.execute(_INHERIT, {"id": node.id, "default_zone": DEFAULT_ZONE})


def _write_rows(
    connection: Connection,
    rows: list[dict[str, object]],
    position: int,
    statement: TextClause,
    **values: object,
) -> None:
    if rows:
        connection.execute(statement, {"rows": json.dumps(rows), "position": position, **values})


def _person_row(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "parent_id": person.parent_id,
        "name": person.name,
        "employee_number": person.employee_number,
        "job_role": person.job_role,
        "hire_date": person.hire_date and person.hire_date.isoformat(),
        "probation_start": person.probation_start and person.probation_start.isoformat(),
        "probation_end": person.probation_end and person.probation_end.isoformat(),
        "mentor_id": person.mentor_id,
        "manager_id": person.manager_id,
        "status": int(person.status),
        "language": person.language,
        "dismissed_at": person.dismissed_at and person.dismissed_at.isoformat(),
    }


def _role_row(role: Role) -> dict[str, object]:
    return {
        "id": role.id,
        "name": role.name,
        "permissions": sorted(role.permissions),
        "built_in": role.built_in,
    }


def _binding_row(binding: Binding) -> dict[str, object]:
    return {
        "id": binding.id,
        "role_id": binding.role_id,
        "subject_id": binding.subject_id,
        "node_id": binding.node_id,
        "granted_by": binding.granted_by,
        "created_at": binding.created_at and binding.created_at.isoformat(),
    }


def _ended_row(ended: SessionEnded) -> dict[str, object]:
    return {
        "session_id": ended.session_id,
        "person_id": ended.person_id,
        "expires_at": ended.expires_at.isoformat(),
    }


def _account_row(account: ServiceAccount) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "disabled": account.disabled,
        "created_at": account.created_at and account.created_at.isoformat(),
    }
