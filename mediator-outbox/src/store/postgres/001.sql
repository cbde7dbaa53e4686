CREATE TABLE mediator_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid        NOT NULL UNIQUE,
    name        text        NOT NULL,
    version     int         NOT NULL,
    key         text,
    payload     json        NOT NULL, -- jsonb refuses \u0000
    headers     json,
    received    boolean     NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp()
);

CREATE TABLE mediator_delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event       bigint      NOT NULL, -- mediator_event.id; a foreign key would lock it at each recording
    name        text        NOT NULL, -- of the event, as are version and key
    version     int         NOT NULL,
    handler     text        NOT NULL,
    key         text,
    -- 0 ready, 1 running, 2 waiting behind its key, 3 dead, 4 dead and its key goes on, 5 done
    state       smallint    NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT statement_timestamp(), -- not before; the end of the lease, if it is running
    attempts    int         NOT NULL DEFAULT 0,
    lost        int         NOT NULL DEFAULT 0,
    token       bigint      NOT NULL DEFAULT 0,
    owner       uuid,
    last_error  text,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    finished_at timestamptz
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);

-- The version is there so that newer ones are passed over without a look at their rows.
CREATE INDEX mediator_delivery_due ON mediator_delivery (handler, name, due_at, id, version) WHERE state < 2 AND key IS NULL;
CREATE INDEX mediator_delivery_due_keyed ON mediator_delivery (handler, name, due_at, id, version)
WHERE state < 2 AND key IS NOT NULL;
CREATE INDEX mediator_delivery_key ON mediator_delivery (handler, key, id) WHERE state < 4 AND key IS NOT NULL;
CREATE INDEX mediator_delivery_event ON mediator_delivery (event);
CREATE INDEX mediator_delivery_dead ON mediator_delivery (id) WHERE state IN (3, 4);
CREATE INDEX mediator_delivery_dead_of ON mediator_delivery (handler, id) WHERE state IN (3, 4);
CREATE INDEX mediator_delivery_done ON mediator_delivery (finished_at) WHERE state = 5;

-- Whoever leaves the head of its key lets the next one go. The settings are for plans that were made while the table was empty.
CREATE FUNCTION mediator_release() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE mediator_delivery SET state = 0 WHERE state = 2 AND id = (
        SELECT p.id FROM mediator_delivery p
        WHERE p.handler = OLD.handler AND p.key = OLD.key AND p.key IS NOT NULL AND p.state < 4
        ORDER BY p.handler, p.key, p.id LIMIT 1
    );
    RETURN NULL;
END $$;

CREATE TRIGGER mediator_gone AFTER DELETE ON mediator_delivery FOR EACH ROW
WHEN (OLD.key IS NOT NULL AND OLD.state < 4) EXECUTE FUNCTION mediator_release();

CREATE TRIGGER mediator_left AFTER UPDATE OF state ON mediator_delivery FOR EACH ROW
WHEN (OLD.key IS NOT NULL AND OLD.state < 4 AND NEW.state >= 4) EXECUTE FUNCTION mediator_release();

-- Completes a delivery in somebody's transaction, whatever its settings are. Returns a row if the lease held: of a delivery with
-- a key its handler and when it was recorded.
CREATE FUNCTION mediator_complete(delivery bigint, lease bigint, keep boolean)
RETURNS TABLE (handler text, recorded_at timestamptz) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET search_path FROM CURRENT AS $$
BEGIN
    IF keep THEN
        RETURN QUERY UPDATE mediator_delivery d
        SET state = 5, token = d.token + 1, owner = NULL, lost = 0, last_error = NULL, finished_at = statement_timestamp()
        WHERE d.id = delivery AND d.token = lease
        RETURNING CASE WHEN d.key IS NOT NULL THEN d.handler END, d.recorded_at;
    ELSE
        RETURN QUERY DELETE FROM mediator_delivery d
        WHERE d.id = delivery AND d.token = lease
        RETURNING CASE WHEN d.key IS NOT NULL THEN d.handler END, d.recorded_at;
    END IF;
END $$;
