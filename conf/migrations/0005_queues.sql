ALTER TABLE queue
    ADD COLUMN strategy text NOT NULL DEFAULT 'longest_idle',   -- see engine.records.strategies
    ADD COLUMN rules jsonb NOT NULL DEFAULT '{}';               -- see engine.records.queues.QueueSettings
ALTER TABLE queue_skill ADD COLUMN exact boolean NOT NULL DEFAULT false;  -- this level and no other, instead of the least
ALTER TABLE agent ADD COLUMN rules jsonb NOT NULL DEFAULT '{}';  -- see engine.records.queues.AgentSettings

CREATE TABLE agent_group (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);
CREATE TABLE agent_group_member (
    group_id integer NOT NULL REFERENCES agent_group ON DELETE CASCADE,
    agent_id integer NOT NULL REFERENCES agent ON DELETE CASCADE,
    PRIMARY KEY (group_id, agent_id)
);

CREATE TABLE pause_reason (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    title text NOT NULL DEFAULT '',
    paid boolean NOT NULL DEFAULT true,
    position integer NOT NULL DEFAULT 0
);
INSERT INTO pause_reason (name, title, paid, position) VALUES
    ('break', 'Break', true, 1), ('lunch', 'Lunch', false, 2), ('meeting', 'Meeting', true, 3),
    ('training', 'Training', true, 4), ('office', 'Office work', true, 5);

-- Needs beside the queue's own: {skill name: {"level": 1-5, "exact": bool}}.
ALTER TABLE number ADD COLUMN needs jsonb NOT NULL DEFAULT '{}';
ALTER TABLE customer
    ADD COLUMN needs jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN responsible_agent_id integer REFERENCES agent ON DELETE SET NULL;
CREATE TABLE language_need (
    language text PRIMARY KEY CHECK (language <> ''),     -- as flows name it, for example da
    needs jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE blocked_number (
    number text PRIMARY KEY CHECK (number <> ''),        -- as dialplan.numbers normalises it
    note text NOT NULL DEFAULT '',
    until timestamptz,                                   -- null: for good
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ''
);

ALTER TABLE queue_entry
    ADD COLUMN kind text NOT NULL DEFAULT 'call',
    ADD COLUMN estimated_low_seconds numeric,
    ADD COLUMN estimated_high_seconds numeric;

ALTER TABLE offer ADD COLUMN end_known boolean NOT NULL DEFAULT true;  -- false: derived, see engine.records.unfinished

DROP VIEW report.queue_entries;
CREATE VIEW report.queue_entries AS
SELECT e.id AS entry_id, e.call_id, e.queue, e.entered_at, e.left_at,
       round(extract(epoch FROM e.left_at - e.entered_at), 3) AS wait_seconds,
       e.result, a.name AS agent, e.priority, e.position_at_entry, e.estimated_wait_seconds,
       e.estimated_low_seconds, e.estimated_high_seconds,
       CASE WHEN e.result = 'answered' THEN round(extract(epoch FROM e.left_at - e.entered_at) - e.estimated_wait_seconds, 3) END
           AS estimate_error_seconds,
       e.kind
FROM queue_entry e LEFT JOIN agent a ON a.id = e.agent_id WHERE e.queue IS NOT NULL;
COMMENT ON VIEW report.queue_entries IS 'One row for each wait in a queue. The estimate is what the router expected when the caller came, none where its past estimates were too poor; its error is the true wait less the estimate, for those who were answered.';

-- What choosing by cost has saved and what it has cost in waiting; see engine.routing.strategies.
CREATE VIEW report.cost_ledger AS
SELECT o.offer_id, o.call_id, o.queue, o.agent, o.extension, o.offered_at,
       (o.why -> 'cost' ->> 'chosen_per_minute')::numeric AS cost_per_minute,
       (o.why -> 'cost' ->> 'instead_per_minute')::numeric AS instead_per_minute,
       t.seconds AS talk_seconds,
       round(((o.why -> 'cost' ->> 'instead_per_minute')::numeric - (o.why -> 'cost' ->> 'chosen_per_minute')::numeric)
             * t.seconds / 60, 4) AS saved,
       (o.why -> 'cost' ->> 'lost_seconds')::numeric AS lost_seconds
FROM report.offers o
CROSS JOIN LATERAL (
    SELECT coalesce(sum(extract(epoch FROM s.ended_at - s.began_at)), 0) AS seconds FROM segment s
    WHERE s.call_id = o.call_id AND s.leg = 'caller' AND s.kind IN ('talk', 'hold') AND s.extension = o.extension) t
WHERE o.result = 'answered' AND o.why ? 'cost';
COMMENT ON VIEW report.cost_ledger IS 'Offers that were answered in queues that choose by cost. saved is the talk at the difference between the agent''s rate and that of the agent whom longest idle would have chosen; lost_seconds is how long the caller waited while a dearer agent was free.';
