//! What workers say to PostgreSQL.

/// What is due of one line `k` of what is wanted, with a key or without one. Each of the two has an index, or what is behind its key
/// would stand in front of what has none.
macro_rules! due {
    ($key:literal) => {
        concat!(
            "SELECT k.line, k.n, x.* FROM k, LATERAL (
                SELECT d.id, d.handler, d.key, d.due_at FROM mediator_delivery d
                WHERE d.handler = k.handler AND d.name = k.name AND d.state < 2 AND d.version <= k.version
                    AND d.due_at <= statement_timestamp() AND d.due_at >= k.since AND d.key ",
            $key,
            "   ORDER BY d.due_at, d.id LIMIT k.n FOR UPDATE SKIP LOCKED) x"
        )
    };
}

/// Those due that have a key, `w`; what is in front of them in it, `b`; those of these that can be locked, so that none is leaving at
/// this moment, `h`; and the others are parked behind them, `p`.
///
/// $1 handlers, $2 events, $3 versions, $4 where to start, $5 limits.
macro_rules! parked {
    () => {
        concat!(
            "WITH k AS MATERIALIZED (
                SELECT * FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS k (handler, name, version, since, n, line)
            ), w AS MATERIALIZED (",
            due!("IS NOT NULL"),
            "), b AS MATERIALIZED (
                SELECT w.line, w.n, w.id, w.due_at, (
                    SELECT p.id FROM mediator_delivery p WHERE p.handler = w.handler AND p.key = w.key
                        AND p.key IS NOT NULL AND p.state < 4 AND p.id < w.id ORDER BY p.id LIMIT 1) AS head
                FROM w
            ), h AS MATERIALIZED (
                SELECT d.id FROM mediator_delivery d
                WHERE d.id = ANY (ARRAY(SELECT head FROM b WHERE head IS NOT NULL)) AND d.state < 4
                FOR SHARE SKIP LOCKED
            ), p AS (
                UPDATE mediator_delivery d SET state = 2
                WHERE d.id = ANY (ARRAY(SELECT b.id FROM b JOIN h ON h.id = b.head)) RETURNING 1
            )"
        )
    };
}

/// Parameters as above, and $6 owner, $7 lease in seconds. One row for each claimed delivery, or one without any: the first of those
/// without a key, `f`, and of those in front of theirs.
pub(super) const CLAIM: &str = concat!(
    parked!(),
    ", f AS MATERIALIZED (",
    due!("IS NULL"),
    "), r AS MATERIALIZED (
        SELECT a.id, a.due_at FROM (
            SELECT u.id, u.due_at, u.n, row_number() OVER (PARTITION BY u.line ORDER BY u.due_at, u.id) AS place FROM (
                SELECT line, n, id, due_at FROM f UNION ALL SELECT line, n, id, due_at FROM b WHERE head IS NULL) u) a
        WHERE a.place <= a.n
    ), c AS (
        UPDATE mediator_delivery d SET state = 1, attempts = d.attempts + 1, token = d.token + 1, owner = $6,
            lost = d.lost + (d.state = 1)::int, due_at = statement_timestamp() + $7 * interval '1 s'
        WHERE d.id = ANY (ARRAY(SELECT id FROM r))
        RETURNING d.id, d.token, d.attempts, d.lost, d.handler, d.name, d.version, d.key, d.event, d.recorded_at
    )
    SELECT c.*, r.due_at, (SELECT count(*) FROM p) AS parked
    FROM (SELECT) one LEFT JOIN (c JOIN r ON r.id = c.id) ON true ORDER BY r.due_at, c.id"
);

/// Only parks what is behind its key.
pub(super) const PARK: &str = concat!(parked!(), " SELECT count(*) FROM p");

/// When the first delivery is due, of those with a key as far as it is among the first ones of its handler; whether some handler's
/// first ones are all behind their keys; and what time it is. $1 handlers, $2 events, $3 versions, $4 where to start.
pub(super) const NEXT_DUE: &str = "\
    SELECT min(least(x.due, y.due)), coalesce(bool_or(x.due IS NULL AND x.seen = 50), false), statement_timestamp()
    FROM unnest($1, $2, $3, $4) AS k (handler, name, version, since), LATERAL (
        SELECT (
            SELECT d.due_at FROM mediator_delivery d
            WHERE d.handler = k.handler AND d.name = k.name AND d.state < 2 AND d.key IS NULL AND d.version <= k.version
                AND d.due_at >= k.since
            ORDER BY d.due_at, d.id LIMIT 1) AS due) y, LATERAL (
        SELECT min(f.due_at) FILTER (WHERE f.heads) AS due, count(*) AS seen FROM (
            SELECT d.due_at, NOT EXISTS (
                SELECT 1 FROM mediator_delivery p WHERE p.handler = d.handler AND p.key = d.key
                    AND p.key IS NOT NULL AND p.state < 4 AND p.id < d.id) AS heads
            FROM mediator_delivery d
            WHERE d.handler = k.handler AND d.name = k.name AND d.state < 2 AND d.key IS NOT NULL AND d.version <= k.version
                AND d.due_at >= k.since
            ORDER BY d.due_at, d.id LIMIT 50) f) x";

/// The deliveries of $1 whose tokens are those of $2, locked in the order of their ids. Renewals and completions by several
/// workers would otherwise lock each other out.
macro_rules! held {
    ($change:literal) => {
        concat!(
            "WITH l AS MATERIALIZED (
                SELECT d.id FROM mediator_delivery d
                WHERE d.id = ANY ($1) AND d.token = ($2)[array_position($1, d.id)] ORDER BY d.id FOR UPDATE
            ) ",
            $change,
            " WHERE d.id = ANY (ARRAY(SELECT id FROM l))
            RETURNING d.id, CASE WHEN d.key IS NOT NULL THEN d.handler END, d.recorded_at"
        )
    };
}

/// $3 lease in seconds.
pub(super) const RENEW: &str =
    held!("UPDATE mediator_delivery d SET due_at = statement_timestamp() + $3 * interval '1 s'");

pub(super) const COMPLETE: &str = held!("DELETE FROM mediator_delivery d");

pub(super) const COMPLETE_AND_KEEP: &str = held!(
    "UPDATE mediator_delivery d SET state = 5, token = d.token + 1, owner = NULL, lost = 0, last_error = NULL,
        finished_at = statement_timestamp()"
);

pub(super) const GIVE_BACK: &str = held!(
    "UPDATE mediator_delivery d SET state = 0, token = d.token + 1, owner = NULL, attempts = d.attempts - 1,
        due_at = statement_timestamp()"
);

/// $3 states, $4 seconds until they are due, $5 errors.
pub(super) const FAIL: &str = "\
    WITH l AS MATERIALIZED (
        SELECT d.id, f.state, f.delay, f.error
        FROM mediator_delivery d JOIN unnest($1, $2, $3, $4, $5) AS f (id, token, state, delay, error)
            ON d.id = f.id AND d.token = f.token ORDER BY d.id FOR UPDATE OF d
    )
    UPDATE mediator_delivery d SET state = l.state, token = d.token + 1, owner = NULL, lost = 0, last_error = l.error,
        due_at = coalesce(statement_timestamp() + l.delay * interval '1 s', d.due_at),
        finished_at = CASE WHEN l.delay IS NULL THEN statement_timestamp() END
    FROM l WHERE d.id = l.id RETURNING d.id, CASE WHEN d.key IS NOT NULL THEN d.handler END, d.recorded_at";
