INSERT INTO webhook_endpoints (id, user_id, url, kinds, disabled_at, disabled_reason, holder, last_success_at)
SELECT md5('endpoint {v} ' || users.id || n)::uuid, users.id, 'https://example.com/hook', '{completed}',
    CASE n WHEN 1 THEN clock_timestamp() END, CASE n WHEN 1 THEN 'It answered 410.' END,
    CASE n WHEN 2 THEN md5('worker {v}')::uuid END, CASE n WHEN 2 THEN clock_timestamp() END
FROM users, generate_series(1, 2) n WHERE email LIKE 'v{v}-%';
INSERT INTO webhook_deliveries (endpoint_id, task_id, seq, state, attempts, status_code, failure, duration_ms, attempted_at)
SELECT md5('endpoint {v} ' || tasks.user_id || '2')::uuid, tasks.id, last_event,
    CASE status WHEN 'COMPLETED' THEN 'DELIVERED' WHEN 'FAILED' THEN 'GIVEN_UP' ELSE 'PENDING' END, 1, 200, 'none', 30, clock_timestamp()
FROM tasks JOIN users ON users.id = tasks.user_id WHERE email LIKE 'v{v}-%';
