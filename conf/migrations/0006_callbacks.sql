-- Written by engine.records.shipping alone, out of the journals, as the tables of calls are.
CREATE TABLE callback (
    id uuid PRIMARY KEY,
    call_id uuid,                                       -- the call that asked for it
    queue text,
    number text,                                        -- as it is called
    name text NOT NULL DEFAULT '',
    customer_id integer,
    asked_at timestamptz,
    record jsonb,                                       -- engine.live.callbacks.Callback, to go on from where Redis forgot
    closed_at timestamptz,
    result text CHECK (result IN ('done', 'failed', 'cancelled')),
    closed_by text,                                     -- who cancelled it; else why it is over
    closed_call_id uuid                                 -- the call in which the customer was reached
);
CREATE INDEX callback_asked ON callback (asked_at);
CREATE INDEX callback_owed ON callback (asked_at) WHERE closed_at IS NULL;
CREATE INDEX callback_call ON callback (call_id);

CREATE TABLE callback_attempt (
    callback_id uuid NOT NULL,
    call_id uuid NOT NULL,                              -- the outbound call
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    result text NOT NULL,
    agent_id integer,
    extension text,
    due_at timestamptz,                                 -- of the next attempt, where there is to be one
    PRIMARY KEY (callback_id, call_id)
);
CREATE INDEX callback_attempt_call ON callback_attempt (call_id);

CREATE VIEW report.callbacks AS
SELECT c.id AS callback_id, c.queue, c.number, c.name, c.customer_id, k.name AS customer_name, c.call_id, c.asked_at,
       CASE WHEN c.closed_at IS NULL THEN 'owed' ELSE c.result END AS state,
       coalesce(t.attempts, 0)::integer AS attempts, t.last_attempt_at, l.result AS last_result,
       CASE WHEN c.closed_at IS NULL THEN coalesce(l.due_at, c.asked_at) END AS due_at,
       c.closed_at, c.closed_by, c.closed_call_id,
       round(extract(epoch FROM coalesce(c.closed_at, now()) - c.asked_at), 3) AS seconds
FROM callback c
LEFT JOIN customer k ON k.id = c.customer_id
LEFT JOIN LATERAL (SELECT count(*) AS attempts, max(started_at) AS last_attempt_at FROM callback_attempt
    WHERE callback_id = c.id) t ON true
LEFT JOIN LATERAL (SELECT result, due_at FROM callback_attempt WHERE callback_id = c.id
    ORDER BY started_at DESC LIMIT 1) l ON true
WHERE c.asked_at IS NOT NULL;
COMMENT ON VIEW report.callbacks IS 'One row for each callback that was asked for. call_id is the call that asked, closed_call_id the one in which the customer was reached; state is owed, done, failed (all attempts were in vain) or cancelled; seconds run till it was closed.';

CREATE VIEW report.callback_attempts AS
SELECT t.callback_id, (row_number() OVER (PARTITION BY t.callback_id ORDER BY t.started_at))::integer AS position, t.call_id,
       t.started_at, t.ended_at, t.result, a.name AS agent, t.extension, t.due_at AS next_at
FROM callback_attempt t LEFT JOIN agent a ON a.id = t.agent_id;
COMMENT ON VIEW report.callback_attempts IS 'Each time an agent and then the customer was called for a callback; call_id is the outbound call of report.calls.';
