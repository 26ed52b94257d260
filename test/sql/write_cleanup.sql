-- Leaves the collection empty, and the database as it was.
BEGIN;
TRUNCATE stored;
COMMIT;
SET client_min_messages = error;
DROP SERVER w CASCADE;
DROP FUNCTION attempt;
RESET client_min_messages;
