-- History, as the tables of 0001: written by engine.records.shipping alone. The last answer to a question of a call counts.
CREATE TABLE survey_answer (
    call_id uuid NOT NULL,
    survey text NOT NULL,
    question text NOT NULL,
    asked text NOT NULL,                                  -- the question in words, as it stood then
    answer text NOT NULL,                                 -- the keys
    words text NOT NULL,                                  -- what they stood for
    answered_at timestamptz NOT NULL,
    queue text,
    agent_id integer,
    PRIMARY KEY (call_id, survey, question)
);
CREATE INDEX survey_answer_at ON survey_answer (answered_at);

CREATE VIEW report.survey_answers AS
SELECT s.call_id, s.survey, s.question, s.asked, s.answer, CASE WHEN s.answer ~ '^[0-9]+$' THEN s.answer::integer END AS score,
       s.words, s.answered_at, s.queue, a.name AS agent, a.extension, c.caller_number, c.customer_id
FROM survey_answer s LEFT JOIN agent a ON a.id = s.agent_id LEFT JOIN call c ON c.id = s.call_id;
COMMENT ON VIEW report.survey_answers IS 'One row for each question that a caller answered by keypad; score is the keys as a number. queue and agent are those of the call until then.';

-- E-mails that flows have asked for, until they are sent and after.
CREATE TABLE outgoing_mail (
    id uuid PRIMARY KEY,
    call_id uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    recipients text[] NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    given_up_at timestamptz,
    fault text NOT NULL DEFAULT ''                        -- why the last try failed
);
CREATE INDEX outgoing_mail_waiting ON outgoing_mail (next_try_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outgoing_mail_call ON outgoing_mail (call_id);
