-- A batch of two items that has ended: one went well and is paid by what it used, the other did not.
CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
SELECT md5('batch {v} ' || id)::uuid AS id, id AS user_id FROM users WHERE email LIKE 'v{v}-%';
INSERT INTO tasks (id, user_id, tool_id, status, agents, prices, tariffs, items, items_ok, items_failed, celery_task_id, sort_at,
    epoch, last_event, progress, outcome, manifest_key, queued_at, started_at, finished_at)
SELECT id, user_id, 'batch-inference', 'COMPLETED', '{ask}', '{"ask": 10}', '{"ask": {"per_call": 0}}', 2, 1, 1, md5('c {v} ' || id)::uuid,
    clock_timestamp(), 1, 1, 100, 'partial', 'manifest.json', clock_timestamp(), clock_timestamp(), clock_timestamp()
FROM batch;
INSERT INTO task_events (task_id, seq, kind, data) SELECT id, 1, 'completed', '{}' FROM batch;
INSERT INTO task_items (task_id, position, name, answer, error_code, error_message, calls, tokens, millicredits)
SELECT id, n, 'item ' || n, CASE n WHEN 0 THEN '{"text": "yes"}'::jsonb END, CASE n WHEN 1 THEN 'MODEL_REFUSED' END,
    CASE n WHEN 1 THEN 'It would not say.' END, 1, 900, CASE n WHEN 0 THEN 2500 ELSE 0 END
FROM batch, generate_series(0, 1) n;
INSERT INTO task_steps (task_id, agent_id, epoch, status, fingerprint, inline, duration_ms)
SELECT id, 'ask', 1, 'DELIVERED', md5('ask'), '{"metrics": {}}', 40 FROM batch;
INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
SELECT user_id, id, 'ask', entry.kind, entry.amount FROM batch, (VALUES ('HOLD', 10), ('CAPTURE', 3), ('RELEASE', 7)) AS entry (kind, amount);
UPDATE credit_wallets SET balance = balance - 3 WHERE user_id IN (SELECT user_id FROM batch);
INSERT INTO model_breakers (name, failures, open_until, probe_until) VALUES ('test:v{v}', 10, clock_timestamp(), clock_timestamp());
INSERT INTO model_answers (key, answer, expires_at) VALUES (md5('{v}'), '{"text": "yes"}', clock_timestamp());
