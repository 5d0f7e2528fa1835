-- The sound itself lies in files (see sounds.library); these rows say where it came from.
CREATE TABLE prompt (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_]{0,79}$'),
    language text NOT NULL CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
    note text NOT NULL DEFAULT '',
    version integer,                                    -- the one that callers hear; null: the shipped one, or none
    UNIQUE (name, language)
);
CREATE TABLE prompt_version (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    prompt_id integer NOT NULL REFERENCES prompt ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    digest text NOT NULL,                               -- names the file
    seconds numeric NOT NULL,
    text text NOT NULL DEFAULT '',
    author text NOT NULL DEFAULT '',
    made_at timestamptz NOT NULL,
    origin text NOT NULL CHECK (origin IN ('upload', 'browser', 'phone', 'speech', 'file', 'copy')),
    was text NOT NULL DEFAULT '',                       -- the kind of the file that was uploaded
    UNIQUE (prompt_id, version)
);
CREATE INDEX prompt_version_digest ON prompt_version (digest);
