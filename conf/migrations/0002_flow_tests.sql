ALTER TABLE flow_version
    ADD COLUMN saved_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN note text NOT NULL DEFAULT '';             -- why it was changed, in the author's words
UPDATE flow_version SET saved_at = published_at WHERE published_at IS NOT NULL;

CREATE TABLE flow_test (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow_id integer NOT NULL REFERENCES flow ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    document jsonb NOT NULL,                              -- see ivr.flow_test
    author text NOT NULL DEFAULT '',
    saved_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (flow_id, name)
);

-- Which call opened a ticket, and at which node: asked again, the same one is found.
ALTER TABLE ticket
    ADD COLUMN opened_by_call uuid,
    ADD COLUMN opened_by_key text;
CREATE UNIQUE INDEX ticket_opened_by ON ticket (opened_by_call, opened_by_key) WHERE opened_by_call IS NOT NULL;
