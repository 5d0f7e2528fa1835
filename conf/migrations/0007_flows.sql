-- A draft is kept over and over while it is made; each time it gets a number that no other row has had, by which whoever goes
-- on with it proves to have seen the last of it.
CREATE SEQUENCE flow_revision;
ALTER TABLE flow_version
    ADD COLUMN revision bigint NOT NULL DEFAULT nextval('flow_revision'),
    ADD COLUMN based_on integer;                          -- the version that it was made from, null where that is not known
