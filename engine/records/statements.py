"""The statements that write a batch of facts, each with its table's rows as one JSON text (see `apply`).

Each can be carried out twice, and in any order with those of other batches, with the same rows in the end.
"""

from __future__ import annotations

from collections.abc import Iterable

_BEGAN = ("started_at", "direction", "caller_number", "caller_name", "called_number", "number_name", "switch")
_ENDED = (
    "ended_at", "status", "ended_by", "hangup_cause", "queue", "agent_id", "extension", "flow", "flow_version", "final",
)  # fmt: skip


def _won(columns: Iterable[str], condition: str) -> str:
    return ",\n    ".join(f"{name} = CASE WHEN {condition} THEN excluded.{name} ELSE c.{name} END" for name in columns)


CALL = f"""
INSERT INTO call AS c (id, started_at, direction, caller_number, caller_name, called_number, number_name, switch, answered_at,
    customer_id, customer_found,
    ended_at, status, ended_by, hangup_cause, queue, agent_id, extension, flow, flow_version, final)
SELECT id, started_at, direction, coalesce(caller_number, ''), coalesce(caller_name, ''), coalesce(called_number, ''),
    coalesce(number_name, ''), coalesce(switch, ''), answered_at, customer_id, customer_id IS NOT NULL,
    ended_at, status, ended_by, hangup_cause, queue, agent_id, extension, flow, flow_version, coalesce(final, false)
FROM json_to_recordset(%s) AS x(id uuid, started_at timestamptz(3), direction text, caller_number text, caller_name text,
    called_number text, number_name text, switch text, answered_at timestamptz(3), customer_id integer, ended_at timestamptz(3),
    status text, ended_by text, hangup_cause text, queue text, agent_id integer, extension text, flow text,
    flow_version integer, final boolean)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    {_won(_BEGAN, "excluded.started_at IS NOT NULL AND (c.started_at IS NULL OR excluded.started_at < c.started_at)")},
    answered_at = least(c.answered_at, excluded.answered_at),
    customer_id = CASE WHEN NOT excluded.customer_found THEN c.customer_id
        WHEN c.customer_found THEN least(c.customer_id, excluded.customer_id) ELSE excluded.customer_id END,
    customer_found = c.customer_found OR excluded.customer_found,
    {
    _won(
        _ENDED,
        '''excluded.ended_at IS NOT NULL AND (c.ended_at IS NULL
        OR (NOT excluded.final, excluded.ended_at,
            excluded.status COLLATE "C", excluded.ended_by COLLATE "C", excluded.hangup_cause COLLATE "C")
         < (NOT c.final, c.ended_at, c.status COLLATE "C", c.ended_by COLLATE "C", c.hangup_cause COLLATE "C"))''',
    )
}
WHERE coalesce(excluded.started_at, excluded.answered_at, excluded.ended_at) IS NOT NULL OR excluded.customer_found"""  # noqa: S608

SEGMENT = """
INSERT INTO segment (call_id, leg, kind, queue, agent_id, extension, started_at, began_at, ended_at)
SELECT call_id, leg, kind, queue, agent_id, extension, started_at, started_at, ended_at
FROM json_to_recordset(%s) AS x(call_id uuid, leg text, kind text, queue text, agent_id integer, extension text,
    started_at timestamptz(3), ended_at timestamptz(3))
ON CONFLICT DO NOTHING"""

STEP = """
INSERT INTO ivr_step AS s (call_id, entered_at, left_at, flow, flow_version, node, node_type, exit)
SELECT call_id, entered_at, left_at, flow, flow_version, node, node_type, exit
FROM json_to_recordset(%s) AS x(call_id uuid, entered_at timestamptz, left_at timestamptz, flow text, flow_version integer,
    node text, node_type text, exit text)
ORDER BY call_id, entered_at
ON CONFLICT (call_id, entered_at) DO UPDATE SET
    flow = coalesce(s.flow, excluded.flow), flow_version = coalesce(s.flow_version, excluded.flow_version),
    node = coalesce(s.node, excluded.node), node_type = coalesce(s.node_type, excluded.node_type),
    (left_at, exit) = (SELECT w.left_at, w.exit FROM (VALUES (s.left_at, s.exit), (excluded.left_at, excluded.exit))
        AS w(left_at, exit) ORDER BY w.left_at IS NULL, w.exit = 'lost', w.left_at, w.exit COLLATE "C" LIMIT 1)"""

ENTRY = """
INSERT INTO queue_entry AS e (id, call_id, queue, entered_at, left_at, result, agent_id, priority, position_at_entry,
    estimated_wait_seconds, estimated_low_seconds, estimated_high_seconds, kind)
SELECT id, call_id, queue, entered_at, left_at, result, agent_id, priority, position_at_entry, estimated_wait_seconds,
    estimated_low_seconds, estimated_high_seconds, coalesce(kind, 'call')
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, queue text, entered_at timestamptz, left_at timestamptz, result text,
    agent_id integer, priority integer, position_at_entry integer, estimated_wait_seconds numeric,
    estimated_low_seconds numeric, estimated_high_seconds numeric, kind text)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    queue = coalesce(e.queue, excluded.queue), entered_at = coalesce(e.entered_at, excluded.entered_at),
    priority = coalesce(e.priority, excluded.priority),
    position_at_entry = coalesce(e.position_at_entry, excluded.position_at_entry),
    estimated_wait_seconds = coalesce(e.estimated_wait_seconds, excluded.estimated_wait_seconds),
    estimated_low_seconds = coalesce(e.estimated_low_seconds, excluded.estimated_low_seconds),
    estimated_high_seconds = coalesce(e.estimated_high_seconds, excluded.estimated_high_seconds),
    kind = greatest(e.kind, excluded.kind),
    (left_at, result, agent_id) = (SELECT w.left_at, w.result, w.agent_id FROM (VALUES (e.left_at, e.result, e.agent_id),
        (excluded.left_at, excluded.result, excluded.agent_id)) AS w(left_at, result, agent_id)
        ORDER BY w.left_at IS NULL, w.result = 'failed', w.left_at, w.result COLLATE "C" LIMIT 1)"""

OFFER = """
INSERT INTO offer AS o (id, call_id, entry_id, queue, agent_id, extension, offered_at, ended_at, result, why)
SELECT id, call_id, entry_id, queue, agent_id, extension, offered_at, ended_at, result, why
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, entry_id uuid, queue text, agent_id integer, extension text,
    offered_at timestamptz, ended_at timestamptz, result text, why jsonb)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    call_id = coalesce(o.call_id, excluded.call_id), entry_id = coalesce(o.entry_id, excluded.entry_id),
    queue = coalesce(o.queue, excluded.queue), agent_id = coalesce(o.agent_id, excluded.agent_id),
    extension = coalesce(o.extension, excluded.extension), offered_at = coalesce(o.offered_at, excluded.offered_at),
    why = coalesce(o.why, excluded.why), end_known = o.end_known OR excluded.ended_at IS NOT NULL,
    ended_at = CASE WHEN o.end_known OR excluded.ended_at IS NULL THEN least(o.ended_at, excluded.ended_at)
        ELSE excluded.ended_at END,
    result = CASE WHEN excluded.ended_at IS NULL THEN o.result
        WHEN o.ended_at IS NULL OR NOT o.end_known THEN excluded.result
        WHEN (excluded.ended_at, excluded.result COLLATE "C") < (o.ended_at, o.result COLLATE "C") THEN excluded.result
        ELSE o.result END"""

RECORDING = """
INSERT INTO recording (id, call_id, path, started_at, seconds, queue, agent_id)
SELECT id, call_id, path, started_at, seconds, queue, agent_id
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, path text, started_at timestamptz, seconds numeric, queue text,
    agent_id integer)
ON CONFLICT DO NOTHING"""

MESSAGE = """
INSERT INTO voicemail (id, call_id, box, path, left_at, seconds, caller_number)
SELECT id, call_id, box, path, left_at, seconds, caller_number
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, box text, path text, left_at timestamptz, seconds numeric,
    caller_number text)
ON CONFLICT DO NOTHING"""

# Each part of the caller's leg lasts till the next; the first begins with the call, and none reaches beyond it.
SEGMENT_ENDS = """
UPDATE segment s SET began_at = d.began_at, ended_at = d.ended_at
FROM (
    SELECT g.call_id, g.started_at, g.kind,
        least(CASE WHEN lag(g.started_at) OVER leg IS NULL THEN coalesce(c.started_at, g.started_at)
            ELSE greatest(g.started_at, c.started_at) END, c.ended_at) AS began_at,
        CASE WHEN lead(g.started_at) OVER leg IS NULL THEN c.ended_at
            ELSE least(greatest(lead(g.started_at) OVER leg, c.started_at), c.ended_at) END AS ended_at
    FROM segment g JOIN call c ON c.id = g.call_id
    WHERE g.leg = 'caller' AND g.call_id = ANY (%s::uuid[])
    WINDOW leg AS (PARTITION BY g.call_id ORDER BY g.started_at, g.kind)
) d
WHERE s.call_id = d.call_id AND s.leg = 'caller' AND s.started_at = d.started_at AND s.kind = d.kind
    AND (s.began_at, s.ended_at) IS DISTINCT FROM (d.began_at, d.ended_at)"""

SECONDS = """
UPDATE call c SET ivr_seconds = d.ivr, wait_seconds = d.wait, ring_seconds = d.ring, talk_seconds = d.talk,
    hold_seconds = d.hold, wrap_up_seconds = d.wrap_up
FROM (
    SELECT id, coalesce(sum(seconds) FILTER (WHERE kind = 'ivr'), 0) AS ivr,
        coalesce(sum(seconds) FILTER (WHERE kind = 'queue'), 0) AS wait,
        coalesce(sum(seconds) FILTER (WHERE kind = 'offer'), 0) AS ring,
        coalesce(sum(seconds) FILTER (WHERE kind = 'talk'), 0) AS talk,
        coalesce(sum(seconds) FILTER (WHERE kind IN ('hold', 'consult')), 0) AS hold,
        coalesce(sum(seconds) FILTER (WHERE kind = 'wrap_up'), 0) AS wrap_up
    FROM (
        SELECT k.id, g.kind, round(extract(epoch FROM g.ended_at - g.began_at), 3) AS seconds
        FROM call k LEFT JOIN segment g ON g.call_id = k.id
        WHERE k.id = ANY (%s::uuid[]) AND k.ended_at IS NOT NULL AND k.started_at IS NOT NULL
    ) parts GROUP BY id
) d
WHERE c.id = d.id AND (c.ivr_seconds, c.wait_seconds, c.ring_seconds, c.talk_seconds, c.hold_seconds, c.wrap_up_seconds)
    IS DISTINCT FROM (d.ivr, d.wait, d.ring, d.talk, d.hold, d.wrap_up)"""

STATE_LOCKS = "SELECT pg_advisory_xact_lock(%s, a.id) FROM unnest(%s::integer[]) WITH ORDINALITY AS a(id, n)"

STATE = """
INSERT INTO agent_state AS s (agent_id, since, presence, work_state, reason, call_id)
SELECT agent_id, since, presence, work_state, reason, call_id
FROM json_to_recordset(%s) AS x(agent_id integer, since timestamptz, presence text, work_state text, reason text, call_id uuid)
ON CONFLICT (agent_id, since) DO UPDATE SET presence = excluded.presence, work_state = excluded.work_state,
    reason = excluded.reason, call_id = excluded.call_id
WHERE (s.presence, s.work_state, s.reason, s.call_id)
    IS DISTINCT FROM (excluded.presence, excluded.work_state, excluded.reason, excluded.call_id)"""

# A state lasts till the next one of its agent. Of what is written, only the new states and each one's forerunner can have
# another end than before; looking at all that came since would take ever longer for facts that come late.
STATE_ENDS = """
UPDATE agent_state s SET until = d.until
FROM (
    SELECT k.agent_id, k.since, n.since AS until
    FROM (
        SELECT agent_id, since FROM json_to_recordset(%s) AS x(agent_id integer, since timestamptz)
        UNION
        SELECT x.agent_id, p.since
        FROM json_to_recordset(%s) AS x(agent_id integer, since timestamptz) CROSS JOIN LATERAL (
            SELECT p.since FROM agent_state p WHERE p.agent_id = x.agent_id AND p.since < x.since
            ORDER BY p.since DESC LIMIT 1) p
    ) k
    LEFT JOIN LATERAL (
        SELECT n.since FROM agent_state n WHERE n.agent_id = k.agent_id AND n.since > k.since
        ORDER BY n.since LIMIT 1) n ON true
) d
WHERE s.agent_id = d.agent_id AND s.since = d.since AND s.until IS DISTINCT FROM d.until"""

MATCH = """
UPDATE call c SET customer_id = m.customer_id
FROM (
    SELECT k.id, min(n.customer_id) AS customer_id
    FROM call k JOIN customer_number n
        ON n.number = CASE k.direction WHEN 'outbound' THEN k.called_number WHEN 'inbound' THEN k.caller_number END
    WHERE k.id = ANY (%s::uuid[]) AND k.customer_id IS NULL
    GROUP BY k.id HAVING count(*) = 1
) m
WHERE c.id = m.id"""

# Public numbers alone: an internal extension or a withheld number is nobody's card. One customer may have got the number
# from another process since the matching, and is matched once more.
UNKNOWN = """
SELECT k.id FROM call k
WHERE k.id = ANY (%s::uuid[]) AND k.customer_id IS NULL AND k.direction = 'inbound' AND k.caller_number LIKE '+%%'
    AND (SELECT count(*) FROM customer_number n WHERE n.number = k.caller_number) < 2"""

REGISTER = """
WITH fresh AS (
    SELECT DISTINCT ON (k.caller_number) k.id, k.caller_number, k.caller_name, k.started_at
    FROM call k
    WHERE k.id = ANY (%s::uuid[]) AND NOT EXISTS (SELECT FROM customer_number n WHERE n.number = k.caller_number)
    ORDER BY k.caller_number, k.started_at, k.id
), made AS (
    INSERT INTO customer (name, registered_by_call, created_at)
    SELECT CASE WHEN caller_name ~ '[[:alpha:]]' THEN left(caller_name, 200) ELSE '' END, id, started_at FROM fresh
    RETURNING id, registered_by_call
)
INSERT INTO customer_number (customer_id, number)
SELECT made.id, fresh.caller_number FROM made JOIN fresh ON fresh.id = made.registered_by_call"""
