-- What the code of migration 0001 writes: three customers, each with a task in every state, and the books in order.
-- {v} is the migration that the database was at when this was written.
INSERT INTO users (email, password_hash, role)
SELECT 'v{v}-' || n || '@example.com', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', CASE n WHEN 1 THEN 'admin' ELSE 'customer' END
FROM generate_series(1, 3) n;

CREATE TEMPORARY TABLE mine ON COMMIT DROP AS SELECT id FROM users WHERE email LIKE 'v{v}-%';

INSERT INTO lanes (user_id, weight, cap, vtime) SELECT id, 2, 10, 1.5 FROM mine;
INSERT INTO api_keys (id, user_id, name, prefix, key_hash, revoked_at)
SELECT md5('key {v} ' || id)::uuid, id, 'script', 'v{v}-' || id, md5(id::text), CASE id % 3 WHEN 0 THEN clock_timestamp() END FROM mine;
INSERT INTO refresh_tokens (token_hash, family, user_id, expires_at, spent_at)
SELECT md5('token {v} ' || id || n), md5('family {v} ' || id)::uuid, id, clock_timestamp() + interval '14 days',
    CASE n WHEN 1 THEN clock_timestamp() END
FROM mine, generate_series(1, 2) n;
INSERT INTO idempotency_keys (user_id, route, key, request_hash, status_code, response)
SELECT id, 'POST /tasks', 'key ' || n, md5('body'), CASE n WHEN 1 THEN 201 END, CASE n WHEN 1 THEN '{"task_id": "x"}'::jsonb END
FROM mine, generate_series(1, 2) n;
INSERT INTO workers (boot_uuid, host, pid, pool, slots, queues, tools, code_version)
VALUES (md5('worker {v}')::uuid, 'host', 42, 'prefork', 4, '{default}', '{two-steps}', '0.1.0');

CREATE TEMPORARY TABLE told ON COMMIT DROP AS
SELECT md5('task {v} ' || mine.id || story.name)::uuid AS id, mine.id AS user_id, story.*
FROM mine, (VALUES
    -- name, status, credits held, agents that delivered, events
    ('created', 'CREATED', false, 0, '{created}'::text[]),
    ('waits', 'QUEUED', true, 0, '{created,queued}'),
    ('is rung', 'QUEUED', true, 0, '{created,queued,admitted}'),
    ('tries later', 'QUEUED', true, 1, '{created,queued,started,step_completed,requeued}'),
    ('runs', 'PROCESSING', true, 1, '{created,queued,started,step_completed}'),
    ('waits for parts', 'WAITING', true, 0, '{created,queued,started,waiting}'),
    ('a part', 'QUEUED', false, 0, '{created,queued}'),
    ('a part that is done', 'COMPLETED', false, 0, '{created,queued,started,completed}'),
    ('is done', 'COMPLETED', true, 2, '{created,queued,started,step_completed,step_completed,completed}'),
    ('failed', 'FAILED', true, 1, '{created,queued,started,step_completed,failed}'),
    ('is tried again', 'QUEUED', true, 0, '{created,queued}'),
    ('was cancelled', 'CANCELLED', true, 0, '{created,queued,cancelled}'),
    ('never began', 'EXPIRED', false, 0, '{created,expired}')
) AS story (name, status, held, delivered, events);

INSERT INTO tasks (id, user_id, parent_id, open_children, retry_of, tool_id, status, agents, parameters, prices, inputs,
    celery_task_id, sort_at, not_before, admitted_at, rung_at, rings, epoch, worker, claimed_at, lease_until,
    last_event, progress, current_agent, error_code, error_message, next_action, error_detail, recoverable, outcome, manifest_key,
    queued_at, started_at, finished_at)
SELECT id, user_id,
    CASE WHEN name LIKE 'a part%' THEN md5('task {v} ' || user_id || 'waits for parts')::uuid END,
    CASE name WHEN 'waits for parts' THEN 1 ELSE 0 END,
    CASE name WHEN 'is tried again' THEN md5('task {v} ' || user_id || 'failed')::uuid END,
    'two-steps', status, '{first,second}', '{"depth": 3}',
    CASE WHEN held THEN '{"first": 5, "second": 7}'::jsonb ELSE '{}' END,
    '{"primary": [{"filename": "people.csv", "key": "users/1/tasks/1/inputs/primary/people.csv", "size": 27}]}',
    CASE WHEN status <> 'CREATED' THEN md5('celery {v} ' || id)::uuid END,
    CASE WHEN status <> 'CREATED' THEN clock_timestamp() END,
    CASE name WHEN 'tries later' THEN clock_timestamp() + interval '1 hour' END,
    CASE WHEN name IN ('is rung', 'runs') THEN clock_timestamp() END,
    CASE WHEN name IN ('is rung', 'runs') THEN clock_timestamp() END, 1,
    CASE WHEN 'started' = ANY (events) THEN 1 ELSE 0 END,
    CASE status WHEN 'PROCESSING' THEN md5('worker {v}')::uuid END,
    CASE status WHEN 'PROCESSING' THEN clock_timestamp() END,
    CASE status WHEN 'PROCESSING' THEN clock_timestamp() + interval '3 seconds' END,
    cardinality(events),
    CASE status WHEN 'COMPLETED' THEN 100 ELSE 50 * delivered END,
    CASE status WHEN 'PROCESSING' THEN 'second' END,
    CASE status WHEN 'FAILED' THEN 'AGENT_CRASHED' END, CASE status WHEN 'FAILED' THEN 'It ended three times.' END,
    CASE status WHEN 'FAILED' THEN 'Retry the task.' END, CASE status WHEN 'FAILED' THEN 'exit code -11' END, CASE status WHEN 'FAILED' THEN true END,
    CASE status WHEN 'COMPLETED' THEN 'success' END, CASE status WHEN 'COMPLETED' THEN 'manifest.json' END,
    CASE WHEN status NOT IN ('CREATED', 'EXPIRED') THEN clock_timestamp() END,
    CASE WHEN 'started' = ANY (events) THEN clock_timestamp() END,
    CASE WHEN status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED') THEN clock_timestamp() END
FROM told ORDER BY name LIKE 'a part%', name <> 'failed';

INSERT INTO task_events (task_id, seq, kind, data)
SELECT id, event.seq, event.kind, '{"progress": 0}' FROM told, unnest(events) WITH ORDINALITY AS event (kind, seq);

INSERT INTO task_steps (task_id, agent_id, epoch, status, fingerprint, artifact_key, artifact_size, artifact_sha256,
    duration_ms, peak_memory_bytes)
SELECT id, agent.name, 1, 'DELIVERED', md5(agent.name), 'users/1/steps/1/' || agent.name, 10, md5('it'), 12, 40000000
FROM told, unnest('{first,second}'::text[]) WITH ORDINALITY AS agent (name, n) WHERE agent.n <= delivered;
INSERT INTO task_steps (task_id, agent_id, epoch, status, fingerprint, error_code, error_message, duration_ms)
SELECT id, 'second', 1, 'FAILED', md5('second'), 'AGENT_CRASHED', 'It ended three times.', 12
FROM told WHERE status = 'FAILED';

INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount, note)
SELECT id, NULL::uuid, '', 'GRANT', 1000, 'welcome' FROM mine;
INSERT INTO credit_entries (user_id, task_id, agent_id, kind, amount)
SELECT told.user_id, told.id, agent.name, entry.kind, agent.price
FROM told,
    (VALUES ('first', 1, 5), ('second', 2, 7)) AS agent (name, n, price),
    unnest('{HOLD,CAPTURE,RELEASE}'::text[]) AS entry (kind)
WHERE told.held AND (entry.kind = 'HOLD'
    OR entry.kind = 'CAPTURE' AND agent.n <= told.delivered
    OR entry.kind = 'RELEASE' AND agent.n > told.delivered AND told.status IN ('FAILED', 'CANCELLED'));
INSERT INTO credit_wallets (user_id, balance)
SELECT user_id, sum(CASE kind WHEN 'HOLD' THEN -amount WHEN 'CAPTURE' THEN 0 ELSE amount END)
FROM credit_entries JOIN mine ON mine.id = user_id GROUP BY user_id;
