-- Configuration: what people set up. Every row that takes part in calls is published through configuration.version.
CREATE TABLE configuration (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO configuration DEFAULT VALUES;

CREATE TABLE router_epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch bigint NOT NULL DEFAULT 0
);
INSERT INTO router_epoch DEFAULT VALUES;

CREATE TABLE calendar (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    timezone text NOT NULL
);
CREATE TABLE opening (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calendar_id integer NOT NULL REFERENCES calendar ON DELETE CASCADE,
    weekday smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),          -- 0 is Monday
    opens_minute smallint NOT NULL CHECK (opens_minute BETWEEN 0 AND 1439),
    closes_minute smallint NOT NULL CHECK (closes_minute BETWEEN 1 AND 2880),  -- above 1440: past midnight
    CHECK (closes_minute > opens_minute)
);
CREATE TABLE holiday (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calendar_id integer NOT NULL REFERENCES calendar ON DELETE CASCADE,
    day date NOT NULL,
    name text NOT NULL,
    UNIQUE (calendar_id, day)
);

CREATE TABLE flow (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);
CREATE TABLE flow_version (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow_id integer NOT NULL REFERENCES flow ON DELETE CASCADE,
    version integer NOT NULL,
    document jsonb NOT NULL,
    author text NOT NULL DEFAULT '',
    published_at timestamptz,
    UNIQUE (flow_id, version)
);

CREATE TABLE number (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE CHECK (number <> ''),   -- E.164, or an internal number as dialled
    name text NOT NULL DEFAULT '',
    destination jsonb NOT NULL                          -- see dialplan.destinations
);

CREATE TABLE account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    full_name text NOT NULL DEFAULT '',
    role text NOT NULL CHECK (role IN ('admin', 'supervisor', 'analyst', 'agent')),
    password_hash text NOT NULL,
    session_key text NOT NULL,                          -- changes with the password, so that old sessions end
    enabled boolean NOT NULL DEFAULT true
);
CREATE TABLE api_token (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    name text NOT NULL,
    token_hash text NOT NULL UNIQUE,                    -- sha256, hex; tokens are random, so no salt is needed
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);

CREATE TABLE agent (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    extension text NOT NULL UNIQUE CHECK (extension ~ '^[0-9]{2,6}$'),
    account_id integer UNIQUE REFERENCES account ON DELETE SET NULL,
    presence text NOT NULL DEFAULT 'offline' CHECK (presence IN ('ready', 'pause', 'offline')),  -- last chosen
    presence_reason text,
    wrap_up_seconds integer NOT NULL DEFAULT 5 CHECK (wrap_up_seconds BETWEEN 0 AND 3600),
    sip_password text NOT NULL DEFAULT ''
);
CREATE TABLE skill (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> '')
);
CREATE TABLE agent_skill (
    agent_id integer NOT NULL REFERENCES agent ON DELETE CASCADE,
    skill_id integer NOT NULL REFERENCES skill ON DELETE CASCADE,
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 5),
    PRIMARY KEY (agent_id, skill_id)
);
CREATE TABLE queue (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9_-]{1,40}$'),
    title text NOT NULL DEFAULT '',
    priority integer NOT NULL DEFAULT 0,
    ring_seconds integer NOT NULL DEFAULT 15 CHECK (ring_seconds BETWEEN 1 AND 120),
    longest_wait_seconds integer NOT NULL DEFAULT 600 CHECK (longest_wait_seconds BETWEEN 1 AND 86400),
    most_waiting integer NOT NULL DEFAULT 100 CHECK (most_waiting BETWEEN 1 AND 100000),
    announce_seconds integer NOT NULL DEFAULT 30 CHECK (announce_seconds BETWEEN 0 AND 3600),  -- 0: never
    answer_within_seconds integer NOT NULL DEFAULT 20,  -- the service level's T
    short_abandon_seconds integer NOT NULL DEFAULT 5,
    recorded boolean NOT NULL DEFAULT true
);
CREATE TABLE queue_skill (
    queue_id integer NOT NULL REFERENCES queue ON DELETE CASCADE,
    skill_id integer NOT NULL REFERENCES skill ON DELETE CASCADE,
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 5),   -- the least level
    PRIMARY KEY (queue_id, skill_id)
);

-- Customers and what hangs on them.
CREATE TABLE customer (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL DEFAULT '',
    company text NOT NULL DEFAULT '',
    category text NOT NULL DEFAULT 'average' CHECK (category IN ('vip', 'average', 'problem')),
    note text NOT NULL DEFAULT '',
    place text NOT NULL DEFAULT '',
    photo_path text,
    registered_by_call uuid,                            -- set where an unknown caller was registered by itself
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE customer_number (
    customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE,
    number text NOT NULL CHECK (number <> ''),          -- as dialplan.numbers normalises it
    PRIMARY KEY (number, customer_id)
);
CREATE TABLE ticket (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer,
    kind text NOT NULL DEFAULT 'enquiry',
    subject text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE INDEX ticket_open ON ticket (customer_id) WHERE closed_at IS NULL;
CREATE TABLE customer_order (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer,
    stage text NOT NULL,
    responsible text NOT NULL DEFAULT '',
    debt numeric(12, 2) NOT NULL DEFAULT 0,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE INDEX customer_order_open ON customer_order (customer_id) WHERE closed_at IS NULL;

-- History: written by engine.records.shipping alone, out of the journals. No foreign keys between these tables, as the facts of
-- one call may arrive in any order and from several processes.
CREATE TABLE call (
    id uuid PRIMARY KEY,
    started_at timestamptz(3),   -- to the millisecond, as those of its segments, so that their sums are exact
    answered_at timestamptz(3),
    ended_at timestamptz(3),
    direction text CHECK (direction IN ('inbound', 'outbound', 'internal')),
    status text,
    caller_number text NOT NULL DEFAULT '',
    caller_name text NOT NULL DEFAULT '',
    called_number text NOT NULL DEFAULT '',
    number_name text NOT NULL DEFAULT '',
    switch text NOT NULL DEFAULT '',
    customer_id integer,
    customer_found boolean NOT NULL DEFAULT false,      -- told by a fact, and not matched here by the number
    queue text,
    agent_id integer,
    extension text,
    ended_by text,
    hangup_cause text,
    flow text,
    flow_version integer,
    outcome text,
    final boolean NOT NULL DEFAULT false,
    ivr_seconds numeric NOT NULL DEFAULT 0,
    wait_seconds numeric NOT NULL DEFAULT 0,
    ring_seconds numeric NOT NULL DEFAULT 0,
    talk_seconds numeric NOT NULL DEFAULT 0,
    hold_seconds numeric NOT NULL DEFAULT 0,
    wrap_up_seconds numeric NOT NULL DEFAULT 0
);
CREATE INDEX call_started ON call (started_at DESC, id);
CREATE INDEX call_customer ON call (customer_id, started_at DESC);
CREATE INDEX call_unended ON call (started_at) WHERE ended_at IS NULL;

CREATE TABLE segment (
    call_id uuid NOT NULL,
    leg text NOT NULL CHECK (leg IN ('caller', 'agent')),
    kind text NOT NULL,
    queue text,
    agent_id integer,
    extension text,
    started_at timestamptz(3) NOT NULL,                 -- as journalled
    began_at timestamptz(3) NOT NULL,                   -- within the call, the first of the caller's leg with the call itself
    ended_at timestamptz(3),
    PRIMARY KEY (call_id, leg, started_at, kind)
);
CREATE TABLE ivr_step (
    call_id uuid NOT NULL,
    entered_at timestamptz NOT NULL,
    left_at timestamptz,
    flow text,
    flow_version integer,
    node text,
    node_type text,
    exit text,
    PRIMARY KEY (call_id, entered_at)
);
CREATE TABLE queue_entry (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL,
    queue text,
    entered_at timestamptz,
    left_at timestamptz,
    result text,
    agent_id integer,
    priority integer,
    position_at_entry integer,
    estimated_wait_seconds numeric
);
CREATE INDEX queue_entry_call ON queue_entry (call_id);
CREATE INDEX queue_entry_entered ON queue_entry (entered_at);
CREATE TABLE offer (
    id uuid PRIMARY KEY,
    call_id uuid,
    entry_id uuid,
    queue text,
    agent_id integer,
    extension text,
    offered_at timestamptz,
    ended_at timestamptz,
    result text,
    why jsonb
);
CREATE INDEX offer_call ON offer (call_id);
CREATE INDEX offer_agent ON offer (agent_id, offered_at);
CREATE TABLE agent_state (
    agent_id integer NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    presence text NOT NULL,
    work_state text NOT NULL,
    reason text,
    call_id uuid,
    PRIMARY KEY (agent_id, since)
);
CREATE TABLE recording (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL,
    path text NOT NULL,
    started_at timestamptz NOT NULL,
    seconds numeric NOT NULL,
    queue text,
    agent_id integer,
    listened_at timestamptz,
    listened_by integer
);
CREATE INDEX recording_call ON recording (call_id);
CREATE TABLE voicemail (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL,
    box text NOT NULL,
    path text NOT NULL,
    left_at timestamptz NOT NULL,
    seconds numeric NOT NULL,
    caller_number text NOT NULL,
    listened_at timestamptz,
    listened_by integer
);
CREATE INDEX voicemail_call ON voicemail (call_id);

-- How far each journal file has been shipped, kept in the transaction that ships, so that a repeat begins where it must.
CREATE TABLE journal_offset (
    file text PRIMARY KEY,
    position bigint NOT NULL,
    shipped_at timestamptz NOT NULL DEFAULT now()
);

CREATE SCHEMA report;

CREATE VIEW report.calls AS
SELECT c.id AS call_id, c.started_at, c.answered_at, c.ended_at, c.direction, c.status,
       c.caller_number, c.called_number, c.number_name,
       c.customer_id, k.name AS customer_name, k.category AS customer_category,
       c.queue, a.name AS agent, c.extension,
       c.ivr_seconds, c.wait_seconds, c.ring_seconds, c.talk_seconds, c.hold_seconds, c.wrap_up_seconds,
       round(extract(epoch FROM c.ended_at - c.started_at), 3) AS total_seconds,
       c.ended_by, c.hangup_cause,
       (c.ended_at - c.started_at) > interval '1 hour' AS too_long,
       r.id AS recording_id, r.listened_at IS NOT NULL AS recording_listened, v.id AS voicemail_id,
       c.outcome, c.flow, c.flow_version
FROM call c
LEFT JOIN customer k ON k.id = c.customer_id
LEFT JOIN agent a ON a.id = c.agent_id
LEFT JOIN LATERAL (SELECT id, listened_at FROM recording WHERE call_id = c.id ORDER BY started_at LIMIT 1) r ON true
LEFT JOIN LATERAL (SELECT id FROM voicemail WHERE call_id = c.id ORDER BY left_at LIMIT 1) v ON true
WHERE c.ended_at IS NOT NULL AND c.started_at IS NOT NULL;
COMMENT ON VIEW report.calls IS 'One row for each call that has ended. wait_seconds is the caller''s time in queues until an agent answered, ringing included; ring_seconds is how long agents'' phones rang for this call; ivr, wait, talk, hold and voicemail segments of the caller''s leg add up to total_seconds.';

CREATE VIEW report.segments AS
SELECT s.call_id, (row_number() OVER (PARTITION BY s.call_id ORDER BY s.began_at, s.leg DESC, s.started_at, s.kind))::integer AS position,
       s.kind, s.queue, a.name AS agent, s.extension, s.began_at AS started_at, s.ended_at,
       round(extract(epoch FROM s.ended_at - s.began_at), 3) AS seconds, s.leg
FROM segment s LEFT JOIN agent a ON a.id = s.agent_id;
COMMENT ON VIEW report.segments IS 'The parts of each call. Those of the caller''s leg never overlap and add up to the call; offer and wrap_up run on an agent''s leg beside them.';

CREATE VIEW report.ivr_steps AS
SELECT call_id, (row_number() OVER (PARTITION BY call_id ORDER BY entered_at))::integer AS position, flow, flow_version, node, node_type,
       entered_at, left_at, round(extract(epoch FROM left_at - entered_at), 3) AS seconds, exit
FROM ivr_step WHERE node IS NOT NULL;

CREATE VIEW report.queue_entries AS
SELECT e.id AS entry_id, e.call_id, e.queue, e.entered_at, e.left_at,
       round(extract(epoch FROM e.left_at - e.entered_at), 3) AS wait_seconds,
       e.result, a.name AS agent, e.priority, e.position_at_entry, e.estimated_wait_seconds
FROM queue_entry e LEFT JOIN agent a ON a.id = e.agent_id WHERE e.queue IS NOT NULL;

CREATE VIEW report.offers AS
SELECT o.id AS offer_id, o.call_id, o.queue, a.name AS agent, o.extension, o.offered_at, o.ended_at,
       round(extract(epoch FROM o.ended_at - o.offered_at), 3) AS ring_seconds, o.result, o.why
FROM offer o LEFT JOIN agent a ON a.id = o.agent_id WHERE o.offered_at IS NOT NULL;

CREATE VIEW report.agent_states AS
SELECT a.name AS agent, a.extension, s.presence, s.work_state, s.reason, s.since, s.until,
       round(extract(epoch FROM s.until - s.since), 3) AS seconds
FROM agent_state s JOIN agent a ON a.id = s.agent_id;
