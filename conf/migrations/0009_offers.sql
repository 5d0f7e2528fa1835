CREATE TABLE ring_group (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9_-]{1,40}$'),
    title text NOT NULL DEFAULT '',
    document jsonb NOT NULL                             -- see dialplan.scenarios
);

CREATE OR REPLACE VIEW report.agent_states AS
SELECT a.name AS agent, a.extension, s.presence, s.work_state, s.reason, s.since, s.until,
       round(extract(epoch FROM s.until - s.since), 3) AS seconds,
       CASE WHEN s.presence = 'pause' THEN coalesce(p.paid, true) END AS paid
FROM agent_state s JOIN agent a ON a.id = s.agent_id LEFT JOIN pause_reason p ON p.name = s.reason;
COMMENT ON VIEW report.agent_states IS 'Each state an agent was in, one after the other without a gap. paid tells of a pause whether it is working time; it is unless its reason says otherwise, also where the system paused the agent.';

-- Several agents' phones may ring for one call from the same instant on.
ALTER TABLE segment DROP CONSTRAINT segment_pkey;
CREATE UNIQUE INDEX segment_once ON segment (call_id, leg, started_at, kind, (CASE leg WHEN 'agent' THEN coalesce(extension, '') ELSE '' END));
