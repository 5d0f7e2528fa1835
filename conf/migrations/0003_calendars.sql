-- A calendar is one document, as dialplan.calendars writes it without name and zone: hours, holidays, days of its own and
-- prompts change together, are taken back together, and two people cannot half overwrite one another.
ALTER TABLE calendar
    ADD COLUMN document jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN revision integer NOT NULL DEFAULT 1;      -- rises with each change; who saves names the one they saw

UPDATE calendar SET document = jsonb_strip_nulls(jsonb_build_object(
    'weekly', COALESCE((
        SELECT jsonb_object_agg(day, hours) FROM (
            SELECT (ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])[weekday + 1] AS day,
                   jsonb_agg(
                       lpad((opens_minute / 60)::text, 2, '0') || ':' || lpad((opens_minute % 60)::text, 2, '0') || '-' ||
                       CASE WHEN closes_minute = 1440 THEN '24:00'
                            ELSE lpad((closes_minute % 1440 / 60)::text, 2, '0') || ':' || lpad((closes_minute % 60)::text, 2, '0')
                       END ORDER BY opens_minute) AS hours
            FROM (SELECT DISTINCT weekday, opens_minute, closes_minute FROM opening WHERE calendar_id = calendar.id) own
            GROUP BY weekday) days), '{}'),
    'public_holidays', (
        SELECT jsonb_build_object(
            'country', '', 'subdivision', '', 'days', jsonb_object_agg(to_char(day, 'YYYY-MM-DD'), name),
            'years', (SELECT jsonb_agg(DISTINCT extract(year FROM day)::integer) FROM holiday WHERE calendar_id = calendar.id))
        FROM holiday WHERE calendar_id = calendar.id HAVING count(*) > 0)));

DROP TABLE opening;
DROP TABLE holiday;

-- What was changed, so that the last change can be taken back. `before` and `after` are whole entries as documents have them;
-- without `before` the calendar was made, without `after` it was deleted.
CREATE TABLE calendar_change (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calendar_id integer NOT NULL,
    at timestamptz NOT NULL,
    author text NOT NULL DEFAULT '',
    said text NOT NULL,
    before jsonb,
    after jsonb
);
CREATE INDEX calendar_change_calendar ON calendar_change (calendar_id, id DESC);

-- Closed by hand, until an hour. Ended early where `ended_at` is set.
CREATE TABLE calendar_emergency (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    calendar_id integer NOT NULL REFERENCES calendar ON DELETE CASCADE,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL CHECK (until > since),
    reason text NOT NULL CHECK (reason <> ''),
    prompt text NOT NULL DEFAULT '',
    author text NOT NULL DEFAULT '',
    ended_at timestamptz,
    ended_by text NOT NULL DEFAULT ''
);
CREATE INDEX calendar_emergency_now ON calendar_emergency (until) WHERE ended_at IS NULL;
