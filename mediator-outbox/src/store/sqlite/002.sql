-- The deliveries of an event are found by their ids, and those without a key are recorded without a look at others'.
DROP TRIGGER mediator_recorded;

CREATE TABLE mediator_delivery_2 (
    -- A million times event, and the handler's place in handlers: finds the deliveries of an event without an index.
    id          INTEGER PRIMARY KEY CHECK (id / 1000000 = event),
    event       INTEGER NOT NULL, -- mediator_event.id
    name        TEXT    NOT NULL, -- of the event, as are version and key
    version     INTEGER NOT NULL,
    handler     TEXT    NOT NULL,
    key         TEXT,
    -- 0 ready, 1 running, 2 waiting behind its key, 3 dead, 4 dead and its key goes on, 5 done
    state       INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL, -- not before; the end of the lease, if it is running
    was_due_at  INTEGER,          -- due_at before the last claim
    attempts    INTEGER NOT NULL DEFAULT 0,
    lost        INTEGER NOT NULL DEFAULT 0,
    token       INTEGER NOT NULL DEFAULT 0,
    owner       BLOB,
    last_error  TEXT,
    recorded_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

-- No lease of before is taken for one of a delivery that has its id now.
INSERT INTO mediator_delivery_2
SELECT event * 1000000 + row_number() OVER (PARTITION BY event ORDER BY id) - 1, event, name, version, handler, key, state, due_at,
    was_due_at, attempts, lost, token + 1000000, owner, last_error, recorded_at, finished_at
FROM mediator_delivery;

DROP TABLE mediator_delivery;
ALTER TABLE mediator_delivery_2 RENAME TO mediator_delivery;

-- The version is there so that newer ones are passed over without a look at their rows.
CREATE INDEX mediator_delivery_due ON mediator_delivery (handler, name, due_at, id, version) WHERE state < 2;
CREATE INDEX mediator_delivery_key ON mediator_delivery (handler, key, id) WHERE state < 4 AND key IS NOT NULL;
CREATE INDEX mediator_delivery_dead ON mediator_delivery (id) WHERE state IN (3, 4);
CREATE INDEX mediator_delivery_dead_of ON mediator_delivery (handler, id) WHERE state IN (3, 4);
CREATE INDEX mediator_delivery_done ON mediator_delivery (finished_at) WHERE state = 5;

-- Two of them, since one that looks for a key takes longer where there is none.
CREATE TRIGGER mediator_recorded AFTER INSERT ON mediator_event WHEN NEW.key IS NULL BEGIN
    INSERT INTO mediator_delivery (id, event, name, version, handler, due_at, recorded_at)
    SELECT NEW.id * 1000000 + h.key, NEW.id, NEW.name, NEW.version, h.value, NEW.due_at, NEW.recorded_at
    FROM json_each(NEW.handlers) h;
END;

CREATE TRIGGER mediator_recorded_with_key AFTER INSERT ON mediator_event WHEN NEW.key IS NOT NULL BEGIN
    INSERT INTO mediator_delivery (id, event, name, version, handler, key, state, due_at, recorded_at)
    SELECT NEW.id * 1000000 + h.key, NEW.id, NEW.name, NEW.version, h.value, NEW.key,
        CASE WHEN EXISTS (
            SELECT 1 FROM mediator_delivery p
            WHERE p.handler = h.value AND p.key = NEW.key AND p.key IS NOT NULL AND p.state < 4
        ) THEN 2 ELSE 0 END,
        NEW.due_at, NEW.recorded_at
    FROM json_each(NEW.handlers) h;
END;

-- Whoever leaves the head of its key lets the next one go.
CREATE TRIGGER mediator_gone AFTER DELETE ON mediator_delivery
WHEN OLD.key IS NOT NULL AND OLD.state < 4 BEGIN
    UPDATE mediator_delivery SET state = 0 WHERE state = 2 AND id = (
        SELECT p.id FROM mediator_delivery p
        WHERE p.handler = OLD.handler AND p.key = OLD.key AND p.key IS NOT NULL AND p.state < 4
        ORDER BY p.id LIMIT 1
    );
END;

CREATE TRIGGER mediator_left AFTER UPDATE OF state ON mediator_delivery
WHEN OLD.key IS NOT NULL AND OLD.state < 4 AND NEW.state >= 4 BEGIN
    UPDATE mediator_delivery SET state = 0 WHERE state = 2 AND id = (
        SELECT p.id FROM mediator_delivery p
        WHERE p.handler = OLD.handler AND p.key = OLD.key AND p.key IS NOT NULL AND p.state < 4
        ORDER BY p.id LIMIT 1
    );
END;
