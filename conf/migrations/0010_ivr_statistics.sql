CREATE INDEX ivr_step_entered ON ivr_step (entered_at);

-- The position is counted for each row by the call's own steps, so that a period is cut by the index and not after numbering
-- all that ever was.
CREATE OR REPLACE VIEW report.ivr_steps AS
SELECT s.call_id,
       (SELECT count(*) FROM ivr_step e WHERE e.call_id = s.call_id AND e.node IS NOT NULL AND e.entered_at <= s.entered_at)::integer
           AS position,
       s.flow, s.flow_version, s.node, s.node_type, s.entered_at, s.left_at,
       round(extract(epoch FROM s.left_at - s.entered_at), 3) AS seconds, s.exit
FROM ivr_step s WHERE s.node IS NOT NULL;
COMMENT ON VIEW report.ivr_steps IS 'One row for each visit of a node of a flow, position counted from 1 within the call. exit is the node''s exit, or hung_up where the caller hung up in it, or lost where nobody knows.';
